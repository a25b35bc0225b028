// SPDX-License-Identifier: Apache-2.0

import Calls
import Model
import ObjectStore
import StateStore

/// Keys and objects of backups, as flows need them. Files are touched on a thread of their own.
struct BackupObjects: Sendable {
    private let services: FlowServices

    init(_ services: FlowServices) { self.services = services }

    /// Name of a backup's object in the store.
    static func name(projectID: String, container: String?, backupID: String) -> String {
        [projectID, container, backupID].compactMap(\.self).joined(separator: "/")
    }

    static func name(_ backup: BackupRecord) -> String {
        name(projectID: backup.projectID, container: backup.container, backupID: backup.id)
    }

    /// What a guest needs to make the backup, with a new data key.
    func backupInfo(_ backup: BackupRecord, instanceID: String) async throws -> BackupInfo {
        let keys = services.keys
        let key = try await BlockingWork.run {
            try keys.makeDataKey(projectID: backup.projectID, backupID: backup.id)
        }
        return info(backup, instanceID: instanceID, dataKey: key.dataKey, wrapped: key.wrapped)
    }

    /// What a guest needs to restore the backup: the key comes from the object's own header.
    func restoreInfo(_ backup: BackupRecord, instanceID: String) async throws -> BackupInfo {
        let (objects, keys) = (services.objects, services.keys)
        let name = Self.name(backup)
        let (dataKey, wrapped) = try await BlockingWork.run { () -> ([UInt8], [UInt8]) in
            let source = try objects.open(name)
            defer { source.close() }
            let header = try BackupSeal.header(source: source)
            let key = try keys.unwrap(header.wrappedKey, projectID: backup.projectID, backupID: backup.id)
            return (key, header.wrappedKey)
        }
        return info(backup, instanceID: instanceID, dataKey: dataKey, wrapped: wrapped)
    }

    /// Removes the object, published or partial.
    func delete(_ name: String) async throws {
        let objects = services.objects
        try await BlockingWork.run { try objects.delete(name) }
    }

    private func info(
        _ backup: BackupRecord, instanceID: String, dataKey: [UInt8], wrapped: [UInt8]
    ) -> BackupInfo {
        BackupInfo(
            id: backup.id, instanceID: instanceID,
            location: services.objects.location(Self.name(backup)),
            type: backup.backupType ?? "", checksum: backup.checksum, dataKey: Secret(Base64.encode(dataKey)),
            wrappedKey: Base64.encode(wrapped), position: backup.position ?? .null, parent: .null
        )
    }
}
