// SPDX-License-Identifier: Apache-2.0

import Model

/// The modules that were applied here, across agents.
///
/// Shape: `modules/<id>.json`, 0600: a module result with `contents`, and `order` and `priority` as they were sent.
struct ModuleRecords: Sendable {
    let directory: String

    /// By name.
    func all() throws(GuestAgentError) -> [[String: JSONValue]] {
        var records: [[String: JSONValue]] = []
        for name in FileAccess.names(in: directory) where name.hasSuffix(".json") {
            if let record = try FileAccess.readJSON(directory + "/" + name)?.objectValue { records.append(record) }
        }
        return records.sorted { ($0["name"]?.stringValue ?? "") < ($1["name"]?.stringValue ?? "") }
    }

    func find(_ id: String) throws(GuestAgentError) -> [String: JSONValue]? {
        guard let path = path(id) else { return nil }
        return try FileAccess.readJSON(path)?.objectValue
    }

    func save(_ id: String, _ record: [String: JSONValue]) throws(GuestAgentError) {
        guard let path = path(id) else { throw GuestAgentError(.invalid, "'\(id)' is no id of a module") }
        try FileAccess.makeDirectory(directory)
        try FileAccess.writeJSON(.object(record), to: path)
    }

    func remove(_ id: String) throws(GuestAgentError) {
        if let path = path(id) { try FileAccess.remove(path) }
    }

    private func path(_ id: String) -> String? {
        let isPlain = id.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isPlain && !id.isEmpty && id.utf8.count <= 64 ? directory + "/" + id + ".json" : nil
    }
}
