// SPDX-License-Identifier: Apache-2.0

import Model

/// What the operator decided about plugins, and what the control plane keeps from being called.
///
/// Shape: `{"format": 1, "generation": n, "enabled": [id], "disabled": [id], "active": {id: version}, "previous": {id:
/// version}, "quarantine": {"id@version": {"reason", "since": seconds}}}`.
struct PluginState: Sendable, Hashable {
    /// Why a version is not called.
    struct Quarantine: Sendable, Hashable {
        var reason: String
        var since: Timestamp
    }

    /// Grows with each change; the worker's status names the one that it took.
    var generation = 0
    var enabled: Set<String> = []
    var disabled: Set<String> = []
    /// Version by id that new instances, routes and actions use.
    var active: [String: String] = [:]
    /// What was active before.
    var previous: [String: String] = [:]
    var quarantine: [String: Quarantine] = [:]

    /// Makes `version` the active one of `id`, and remembers the one before.
    mutating func activate(_ id: String, _ version: String, before: String?) {
        if let before, before != version { previous[id] = before }
        active[id] = version
    }
}

extension PluginState {
    private static let format = 1

    var json: JSONValue {
        [
            "format": .int(Int64(Self.format)), "generation": .int(Int64(generation)),
            "enabled": .array(enabled.sorted().map(JSONValue.string)),
            "disabled": .array(disabled.sorted().map(JSONValue.string)),
            "active": .object(active.mapValues(JSONValue.string)),
            "previous": .object(previous.mapValues(JSONValue.string)),
            "quarantine": .object(
                quarantine.mapValues { ["reason": .string($0.reason), "since": .double($0.since.seconds)] }),
        ]
    }

    /// - Throws: `StartError` for a document that is not `json`'s shape: guessing might call what must not be called.
    init(json: JSONValue, path: String) throws {
        guard json["format"]?.intValue == Self.format, let generation = json["generation"]?.intValue else {
            throw StartError("\(path): is not a plugin state of format \(Self.format); move it away to begin anew")
        }
        self.generation = generation
        enabled = Set((json["enabled"]?.arrayValue ?? []).compactMap(\.stringValue))
        disabled = Set((json["disabled"]?.arrayValue ?? []).compactMap(\.stringValue))
        active = (json["active"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
        previous = (json["previous"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
        quarantine = (json["quarantine"]?.objectValue ?? [:]).mapValues { value in
            Quarantine(
                reason: value["reason"]?.stringValue ?? "",
                since: Timestamp(microseconds: Int64((value["since"]?.doubleValue ?? 0) * 1_000_000)))
        }
    }
}
