// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// How far a backup is.
///
/// Shape: `{"instance_id", "backup_id", "sent", "state", "size": GB (2^30 bytes) float, "size_bytes", "backup_type", "checksum",
/// "location", "success": bool, "position", "message"}`; what is not known is left out.
package struct BackupReport: Sendable, Hashable {
    package var instanceID: String
    package var backupID: String
    package var state: BackupState?
    /// Bytes of the engine's stream before compression.
    package var sizeBytes: Int?
    package var backupType: String?
    /// Lower-case hex SHA-256 of the sealed object.
    package var checksum: String?
    package var location: String?
    /// What the strategy needs to add to this backup later.
    package var position: JSONValue?
    /// Why it failed.
    package var message: String?
    package var sent: Timestamp?

    package init(
        instanceID: String, backupID: String, state: BackupState?, sizeBytes: Int? = nil, backupType: String? = nil,
        checksum: String? = nil, location: String? = nil, position: JSONValue? = nil, message: String? = nil,
        sent: Timestamp?
    ) {
        self.instanceID = instanceID
        self.backupID = backupID
        self.state = state
        self.sizeBytes = sizeBytes
        self.backupType = backupType
        self.checksum = checksum
        self.location = location
        self.position = position
        self.message = message
        self.sent = sent
    }

    package var arguments: [String: JSONValue] {
        var arguments: [String: JSONValue] = ["instance_id": .string(instanceID), "backup_id": .string(backupID)]
        if let state { arguments["state"] = .string(state.rawValue) }
        if state == .completed { arguments["success"] = true }
        if state == .failed { arguments["success"] = false }
        if let sizeBytes {
            arguments["size"] = .double(Double(sizeBytes) / Self.gigabyte)
            arguments["size_bytes"] = .int(Int64(sizeBytes))
        }
        if let backupType { arguments["backup_type"] = .string(backupType) }
        if let checksum { arguments["checksum"] = .string(checksum) }
        if let location { arguments["location"] = .string(location) }
        if let position { arguments["position"] = position }
        if let message { arguments["message"] = .string(message) }
        if let sent { arguments["sent"] = .double(sent.seconds) }
        return arguments
    }

    /// Reads the bus form; a size without `size_bytes`, as other guests send it, counts in GB.
    ///
    /// - Throws: `builtins.TypeError` for a wrong type, `builtins.ValueError` for an unknown state or an impossible size.
    package init(arguments: [String: JSONValue]) throws(RPCFault) {
        let method = ConductorVerb.updateBackup.rawValue
        var state: BackupState?
        if let word = arguments["state"], !word.isNull {
            state = word.stringValue.flatMap { BackupState(rawValue: $0) }
            guard state != nil else { throw .valueError("\(method)() got an unknown state") }
        }
        var sizeBytes = arguments["size_bytes"]?.intValue
        if sizeBytes == nil, let size = arguments["size"]?.doubleValue, abs(size) < 8_000_000_000 {
            sizeBytes = Int((size * Self.gigabyte).rounded())
        }
        guard sizeBytes ?? 0 >= 0 else { throw .valueError("\(method)() got a negative size") }
        self.init(
            instanceID: try arguments.text("instance_id", method: method),
            backupID: try arguments.text("backup_id", method: method), state: state, sizeBytes: sizeBytes,
            backupType: arguments["backup_type"]?.stringValue, checksum: arguments["checksum"]?.stringValue,
            location: arguments["location"]?.stringValue, position: arguments["position"],
            message: arguments["message"]?.stringValue, sent: try arguments.sent(method: method)
        )
    }

    private static let gigabyte = 1_073_741_824.0
}
