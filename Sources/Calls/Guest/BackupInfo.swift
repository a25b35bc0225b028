// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// What a guest needs to write or read one backup: `create_backup`'s `backup_info` and `prepare`'s.
///
/// Shape: `{"id", "instance_id", "location", "type", "checksum": text or null, "data_key": secret, "wrapped_key", "position",
/// "parent", "parents", "sealed_id"°}`.
package struct BackupInfo: Sendable, Hashable {
    package var id: String
    /// The instance that the backup is of.
    package var instanceID: String
    /// Where the sealed object is or will be, as `ObjectStore.location` gives it.
    package var location: String
    /// The backup strategy plugin's id, with `@version` when pinned.
    package var type: String
    /// Lower-case hex SHA-256 of the sealed object; nil before it exists.
    package var checksum: String?
    /// Base64 of the 32 bytes that seal this backup.
    package var dataKey: Secret
    /// Base64 of the data key under the project's key; stored in the object's header.
    package var wrappedKey: String
    /// What the strategy said about where the backup ends; null before it exists.
    package var position: JSONValue
    /// `{"id", "position"}` of the backup that this one adds to; null for a full one.
    package var parent: JSONValue
    /// For a restore: what must be restored before this one, the full backup first, then the increments between.
    package var parents: [BackupInfo]
    /// The backup id that the object was sealed for, where it is not `id`: a backup that was taken over from elsewhere.
    package var sealedID: String

    package init(
        id: String, instanceID: String, location: String, type: String, checksum: String? = nil, dataKey: Secret,
        wrappedKey: String, position: JSONValue = .null, parent: JSONValue = .null, parents: [BackupInfo] = [],
        sealedID: String? = nil
    ) {
        self.id = id
        self.instanceID = instanceID
        self.location = location
        self.type = type
        self.checksum = checksum
        self.dataKey = dataKey
        self.wrappedKey = wrappedKey
        self.position = position
        self.parent = parent
        self.parents = parents
        self.sealedID = sealedID ?? id
    }

    /// The bus form; it holds the data key in clear.
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id), "instance_id": .string(instanceID), "location": .string(location),
            "type": .string(type), "checksum": .optional(checksum), "data_key": .string(dataKey.revealed),
            "wrapped_key": .string(wrappedKey), "position": position, "parent": parent,
            "parents": .array(parents.map(\.json)),
        ]
        if sealedID != id { members["sealed_id"] = .string(sealedID) }
        return .object(members)
    }

    /// Reads the bus form; unknown members are ignored.
    ///
    /// - Throws: `builtins.TypeError` naming the member, never its value.
    package init(json: JSONValue) throws(RPCFault) {
        guard case .object(let members) = json else {
            throw .typeError("backup_info must be an object")
        }
        let checksum = members["checksum"] ?? .null
        guard checksum.isNull || checksum.stringValue != nil else {
            throw .typeError("backup_info member 'checksum' must be a string or null")
        }
        var parents: [BackupInfo] = []
        for item in members["parents"]?.arrayValue ?? [] { parents.append(try BackupInfo(json: item)) }
        self.init(
            id: try Self.text(members, "id"), instanceID: try Self.text(members, "instance_id"),
            location: try Self.text(members, "location"), type: try Self.text(members, "type"),
            checksum: checksum.stringValue, dataKey: Secret(try Self.text(members, "data_key")),
            wrappedKey: try Self.text(members, "wrapped_key"), position: members["position"] ?? .null,
            parent: members["parent"] ?? .null, parents: parents,
            sealedID: members["sealed_id"]?.stringValue
        )
    }

    private static func text(_ members: [String: JSONValue], _ name: String) throws(RPCFault) -> String {
        guard let text = members[name]?.stringValue else {
            throw .typeError("backup_info member '\(name)' must be a string")
        }
        return text
    }
}
