// SPDX-License-Identifier: Apache-2.0

package import Model

/// Modules, and who has them.
package protocol ModuleRepository {
    func insert(_ record: ModuleRecord) throws
    /// The live module.
    func find(_ id: String) throws -> ModuleRecord?
    /// Live modules of the project and those of every project, by name; `projectID` nil means all.
    func all(projectID: String?) throws -> [ModuleRecord]
    /// Writes everything but id and `created`.
    ///
    /// - Throws: `.notFound`.
    func save(_ record: ModuleRecord, now: Timestamp) throws
    /// - Throws: `.notFound`.
    func markDeleted(_ id: String, now: Timestamp) throws
    /// Live instances that have the module, `id > marker`, ids ascending.
    func instances(_ id: String, after marker: String?, limit: Int) throws -> [ModuleInstance]
    /// Live instances that have it, by their contents of it.
    func counts(_ id: String) throws -> [ModuleCount]
    /// Records that an instance has these contents of a module.
    func put(_ id: String, instanceID: String, md5: String, now: Timestamp) throws
    /// Records that an instance has it no more.
    func remove(_ id: String, instanceID: String) throws
}
