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

    /// Name of the object that was made for the backup; not of one that was taken over.
    static func name(_ backup: BackupRecord) -> String {
        name(projectID: backup.projectID, container: backup.container, backupID: backup.id)
    }

    /// What a guest needs to make the backup, with a new data key.
    ///
    /// - Throws: `FlowError` when nothing can be added to its parent.
    func backupInfo(_ backup: BackupRecord, instanceID: String) async throws -> BackupInfo {
        let parent = try await parent(of: backup)
        let keys = services.keys
        let key = try await BlockingWork.run {
            try keys.makeDataKey(projectID: backup.projectID, backupID: backup.id)
        }
        var info = info(
            backup, name: Self.name(backup), instanceID: instanceID, dataKey: key.dataKey, wrapped: key.wrapped)
        if let parent { info.parent = Self.reference(parent.id, parent.position ?? .null) }
        return info
    }

    /// What a guest needs to restore the backup and all that it adds to: the keys come from the objects' own headers.
    ///
    /// - Throws: `FlowError` naming the backup that cannot be used.
    func restoreInfo(_ backup: BackupRecord, instanceID: String) async throws -> BackupInfo {
        let chain = try await services.store.read { try $0.backups.chain(of: backup) }
        var infos: [BackupInfo] = []
        for element in chain {
            guard element.state.isUsable else {
                throw FlowError(
                    "Backup \(element.id), which backup \(backup.id) adds to, is \(element.state.rawValue).")
            }
            var info = try await readable(element, instanceID: instanceID)
            if let parent = infos.last { info.parent = Self.reference(parent.id, parent.position) }
            infos.append(info)
        }
        guard var last = infos.popLast() else { throw FlowError("Backup \(backup.id) does not exist any more.") }
        last.parents = infos
        return last
    }

    /// Removes the object, published or partial.
    func delete(_ name: String) async throws {
        let objects = services.objects
        try await BlockingWork.run { try objects.delete(name) }
    }

    private func parent(of backup: BackupRecord) async throws -> BackupRecord? {
        guard let parentID = backup.parentID else { return nil }
        guard let parent = try await services.store.read({ try $0.backups.find(parentID) }) else {
            throw FlowError("Backup \(parentID), which this one is to add to, does not exist any more.")
        }
        guard parent.state == .completed, parent.position != nil else {
            throw FlowError("Backup \(parentID), which this one is to add to, cannot be a parent.")
        }
        return parent
    }

    private func readable(_ backup: BackupRecord, instanceID: String) async throws -> BackupInfo {
        let (objects, keys) = (services.objects, services.keys)
        let name = try objectName(backup)
        let opened = try await BlockingWork.run { () throws -> Result<(SealHeader, [UInt8]), ObjectStoreError> in
            Result { () throws(ObjectStoreError) in
                let source = try objects.open(name)
                defer { source.close() }
                let header = try BackupSeal.header(source: source)
                let key = try keys.unwrap(
                    header.wrappedKey, projectID: backup.projectID, backupID: header.backupID)
                return (header, key)
            }
        }
        if case .failure(let error) = opened {
            throw FlowError(
                "Backup \(backup.id) cannot be read: \(error.message)", isRetryable: error.isRetryable)
        }
        let (header, dataKey) = try opened.get()
        guard header.backupID == backup.id || backup.state == .restored else {
            throw FlowError("The object of backup \(backup.id) is another backup's (\(header.backupID)).")
        }
        var info = info(
            backup, name: name, instanceID: instanceID, dataKey: dataKey, wrapped: header.wrappedKey)
        info.sealedID = header.backupID
        return info
    }

    /// One that was taken over lies where it was found.
    private func objectName(_ backup: BackupRecord) throws -> String {
        guard backup.state == .restored else { return Self.name(backup) }
        guard let location = backup.location, let name = services.objects.name(location: location) else {
            throw FlowError(
                "Backup \(backup.id) lies at '\(backup.location ?? "")', outside this control plane's object store.")
        }
        return name
    }

    private static func reference(_ id: String, _ position: JSONValue) -> JSONValue {
        ["id": .string(id), "position": position]
    }

    private func info(
        _ backup: BackupRecord, name: String, instanceID: String, dataKey: [UInt8], wrapped: [UInt8]
    ) -> BackupInfo {
        BackupInfo(
            id: backup.id, instanceID: instanceID, location: services.objects.location(name),
            type: backup.backupType ?? "", checksum: backup.checksum, dataKey: Secret(Base64.encode(dataKey)),
            wrappedKey: Base64.encode(wrapped), position: backup.position ?? .null
        )
    }
}
