// SPDX-License-Identifier: Apache-2.0

/// The object store with the sealed backups, as far as requests ask for it.
package protocol SealedBackups: Sendable {
    /// Looks at the object at `location`: that it is there, that it is a sealed backup, and that its key can be unwrapped for
    /// the project.
    ///
    /// - Returns: The object's location as the store writes it.
    /// - Throws: why it cannot be read; what belongs to others looks as if it were not there.
    func find(_ location: String, project: String) async throws(SealedBackupRefusal) -> String
}

/// Why an object cannot be used as a backup. The raw value is told to the caller, and says nothing of other projects.
package enum SealedBackupRefusal: String, Error, Sendable, CaseIterable {
    case elsewhere = "it does not lie in this service's object store"
    case missing = "the project has no such object"
    case unsealed = "it is not a backup that was sealed for this project"
    case unavailable = "the object store cannot answer now; please try again"
}

/// Where there is no object store.
package struct NoSealedBackups: SealedBackups {
    package init() {}
    package func find(_ location: String, project: String) async throws(SealedBackupRefusal) -> String {
        throw .elsewhere
    }
}
