// SPDX-License-Identifier: Apache-2.0

import Calls
import Model

/// What became of one backup, for repeats and for later agents.
///
/// Shape: `backups/<id>.json`: `{"state": "BUILDING" | "INTERRUPTED" | "COMPLETED" | "FAILED", "name", "size", "checksum",
/// "location", "position", "message", "type", "reported": bool, "changed_us"}`; no secrets.
struct BackupRecord: Sendable, Hashable {
    enum State: String, Sendable {
        case building = "BUILDING"
        /// An agent ended meanwhile.
        case interrupted = "INTERRUPTED"
        case completed = "COMPLETED"
        case failed = "FAILED"
    }

    var id: String
    var state: State
    /// In the object store.
    var name: String
    var location: String
    var type: String
    var sizeBytes: Int?
    var checksum: String?
    var position: JSONValue = .null
    var message: String?
    /// Whether the bus has taken the outcome.
    var isReported = false
    var changed = SystemWallClock().now

    init(id: String, state: State, name: String, location: String, type: String) {
        self.id = id
        self.state = state
        self.name = name
        self.location = location
        self.type = type
    }

    init?(id: String, json: JSONValue) {
        guard let state = json["state"]?.stringValue.flatMap(State.init(rawValue:)) else { return nil }
        self.init(
            id: id, state: state, name: json["name"]?.stringValue ?? "",
            location: json["location"]?.stringValue ?? "", type: json["type"]?.stringValue ?? "")
        sizeBytes = json["size"]?.intValue
        checksum = json["checksum"]?.stringValue
        position = json["position"] ?? .null
        message = json["message"]?.stringValue
        isReported = json["reported"]?.boolValue ?? false
        changed = Timestamp(microseconds: Int64(json["changed_us"]?.intValue ?? 0))
    }

    var json: JSONValue {
        [
            "state": .string(state.rawValue), "name": .string(name), "location": .string(location),
            "type": .string(type), "size": .optional(sizeBytes), "checksum": .optional(checksum),
            "position": position, "message": .optional(message), "reported": .bool(isReported),
            "changed_us": .int(changed.microseconds),
        ]
    }

    /// What the conductor is told.
    func report(instanceID: String) -> BackupReport {
        let state: BackupState =
            switch self.state {
            case .building: .building
            case .completed: .completed
            case .failed, .interrupted: .failed
            }
        return BackupReport(
            instanceID: instanceID, backupID: id, state: state, sizeBytes: sizeBytes, backupType: type,
            checksum: checksum, location: location, position: position.isNull ? nil : position, message: message,
            sent: SystemWallClock().now)
    }
}

/// The directory of records.
struct BackupRecords: Sendable {
    private let directory: String
    private static let kept = 64

    init(stateDirectory: String) throws(GuestAgentError) {
        directory = stateDirectory + "/backups"
        try FileAccess.makeDirectory(directory)
    }

    func read(_ id: String) throws(GuestAgentError) -> BackupRecord? {
        try FileAccess.readJSON(path(id)).flatMap { BackupRecord(id: id, json: $0) }
    }

    func write(_ record: BackupRecord) throws(GuestAgentError) {
        try FileAccess.writeJSON(record.json, to: path(record.id))
    }

    /// All records, oldest first; the oldest of many that were reported are removed.
    func all() -> [BackupRecord] {
        var records = FileAccess.names(in: directory).filter { $0.hasSuffix(".json") }
            .compactMap { try? read(String($0.dropLast(5))) }.sorted { $0.changed < $1.changed }
        while records.count > Self.kept, let index = records.firstIndex(where: \.isReported) {
            try? FileAccess.remove(path(records.remove(at: index).id))
        }
        return records
    }

    private func path(_ id: String) -> String { "\(directory)/\(id).json" }
}
