// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// Configuration and logs of a running engine.
struct EngineSettings {
    private let group: EngineGroup

    init(_ group: EngineGroup) { self.group = group }

    /// One value that the engine takes at once, one that waits for a restart, and taking both away.
    func check() throws {
        guard group.table.apply_configuration != nil else {
            return ChildReporter.shared.skip(
                "engine.configuration", "The configuration of the engine cannot be changed.")
        }
        let dynamic = pick { $0["restart_required"]?.boolValue == false }
        let fixed = pick { $0["restart_required"]?.boolValue == true }
        guard dynamic != nil || fixed != nil else {
            return ChildReporter.shared.skip("engine.configuration", "The policy names no parameter with a range.")
        }
        if let (name, value) = dynamic { try apply([name: value], waiting: [], name) }
        if let (name, value) = fixed { try apply([name: value], waiting: [name], name) }
        try restart()
        let away = [dynamic?.name, fixed?.name].compactMap { $0 }
        try apply(
            Dictionary(uniqueKeysWithValues: away.map { ($0, JSONValue.null) }), waiting: nil,
            away.joined(separator: ", "))
        try restart()
    }

    /// A numeric parameter with a value that it surely may have.
    private func pick(_ isFit: (JSONValue) -> Bool) -> (name: String, value: JSONValue)? {
        for item in group.engine.parameters where isFit(item) && item["type"]?.stringValue == "integer" {
            guard let name = item["name"]?.stringValue, let low = item["minimum"]?.intValue,
                let high = item["maximum"]?.intValue
            else { continue }
            let middle = item["default"]?.intValue ?? low
            return (name, .int(Int64(middle < high ? middle + 1 : low)))
        }
        return nil
    }

    private func apply(_ values: [String: JSONValue], waiting: [String]?, _ what: String) throws {
        let request: JSONValue = ["values": .object(values), "config_contents": .string(group.engine.configuration)]
        for _ in 0..<2 {
            guard let outcome = try group.need("configuration", "apply_configuration", request), outcome.isOK else {
                return
            }
            let named = (outcome.document?["restart_required"]?.arrayValue ?? []).compactMap(\.stringValue)
            if let waiting, named.sorted() != waiting.sorted() {
                group.fail(
                    "configuration",
                    "After \(what) was changed restart_required is \(named), the policy's parameters say \(waiting).")
            }
        }
    }

    private func restart() throws {
        guard let instance = group.instance else { throw Unusable() }
        try instance.stop()
        do { try instance.start() } catch {
            group.fail(
                "configuration",
                "The engine does not start with the changed configuration: \(error); \(instance.lastWords).")
            throw Unusable()
        }
        try group.judgeActive("configuration", instance)
    }

    func checkLogs() throws {
        guard let list = try group.need("logs", "list_logs", [:]) else {
            return ChildReporter.shared.skip("engine.logs", "The datastore lists no logs.")
        }
        var names: Set<String> = []
        for log in list.document?["logs"]?.arrayValue ?? [] {
            let name = log["name"]?.stringValue ?? ""
            if !names.insert(name).inserted { group.fail("logs", "The log \(name) is listed twice.") }
            let file = log["file"]?.stringValue ?? ""
            let isInside = file.hasPrefix(group.root + "/") || !file.hasPrefix("/")
            if !isInside || file.contains("..") {
                group.fail("logs", "The log \(name) lies at \(file), outside of the instance's directories.")
            }
            guard log["type"]?.stringValue == "user", group.table.set_log != nil else { continue }
            for enabled in [true, true, false] {
                try group.need("logs", "set_log", ["name": .string(name), "enabled": .bool(enabled)])
            }
        }
        if let wrong = try group.instance?.call("set_log", ["name": "no_such_log", "enabled": true]), wrong.isOK {
            group.fail("logs", "datastore.set_log returned TROVE_OK for a log that does not exist.")
        }
    }
}
