// SPDX-License-Identifier: Apache-2.0

import API
import ObjectStore

/// The sealed backups in the object store, with the keys that open them.
struct SealedObjects: SealedBackups {
    let objects: DirectoryObjectStore
    let keys: ProjectKeys

    func find(_ location: String, project: String) async throws(SealedBackupRefusal) -> String {
        guard let name = objects.name(location: location) else { throw .elsewhere }
        // Whether another project has it is not told.
        guard name.hasPrefix(project + "/") else { throw .missing }
        let (objects, keys) = (objects, keys)
        let result = await BlockingCall.run { () -> Result<Void, ObjectStoreError> in
            Result { () throws(ObjectStoreError) in
                let source = try objects.open(name)
                defer { source.close() }
                let header = try BackupSeal.header(source: source)
                _ = try keys.unwrap(header.wrappedKey, projectID: project, backupID: header.backupID)
            }
        }
        if case .failure(let error) = result { throw Self.refusal(error) }
        return objects.location(name)
    }

    private static func refusal(_ error: ObjectStoreError) -> SealedBackupRefusal {
        switch error.code {
        case .notFound, .invalidName, .permissionDenied: .missing
        case .corrupt, .key: .unsealed
        default: .unavailable
        }
    }
}
