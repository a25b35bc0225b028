// SPDX-License-Identifier: Apache-2.0

import Model
package import PluginHost
import Synchronization

/// Remembers across agents which plugin calls were open, and how often a plugin trapped in them.
///
/// A trap in a plugin ends the agent. The next one finds the open mark, and what the agent does by itself is not tried
/// for ever: after `limit` traps in a row it is refused, naming the plugin.
///
/// Shape: `in_call/<verb>`: `{"plugin", "open": bool, "crashes": int}`; gone once a call of the verb has ended.
package final class CallMarks: Sendable {
    /// Traps in a row after which a verb is refused.
    package static let limit = 2

    private struct Mark {
        var plugin: String
        var open = 0
        var crashes = 0

        func json(isOpen: Bool) -> JSONValue {
            ["plugin": .string(plugin), "open": .bool(isOpen), "crashes": .int(Int64(crashes))]
        }
    }

    private let directory: String
    private let marks: Mutex<[String: Mark]>

    /// Reads what the last agent left.
    ///
    /// - Parameter fault: How that agent trapped; nil when it ended otherwise, and then no mark counts.
    package init(stateDirectory: String, fault: PluginFault?) throws(GuestAgentError) {
        directory = stateDirectory + "/in_call"
        try FileAccess.makeDirectory(directory)
        var found: [String: Mark] = [:]
        for verb in FileAccess.names(in: directory) where !verb.hasSuffix(".new") {
            guard let json = try? FileAccess.readJSON(directory + "/" + verb) else { continue }
            var mark = Mark(plugin: json["plugin"]?.stringValue ?? "", crashes: json["crashes"]?.intValue ?? 0)
            let isToBlame = fault.map { $0.pluginID.isEmpty || $0.pluginID == mark.plugin } ?? false
            if json["open"]?.boolValue == true, isToBlame { mark.crashes += 1 }
            if mark.crashes > 0 {
                found[verb] = mark
                try FileAccess.writeQuickly(mark.json(isOpen: false).serialized, to: directory + "/" + verb)
            } else {
                try FileAccess.remove(directory + "/" + verb)
            }
        }
        marks = Mutex(found)
    }

    /// How often in a row the verb trapped.
    package func crashes(_ verb: String) -> Int { marks.withLock { $0[verb]?.crashes ?? 0 } }

    /// - Throws: `.crashed`, naming the plugin, when the verb trapped too often.
    package func check(_ verb: String) throws(PluginError) {
        guard let mark = marks.withLock({ $0[verb] }), mark.crashes >= Self.limit else { return }
        throw PluginError(.crashed, pluginID: mark.plugin, "plugin \(mark.plugin) crashed during \(verb)")
    }

    /// Lets a verb be tried again, because somebody asked for it.
    package func forgive(_ verb: String) {
        marks.withLock { marks in
            guard let mark = marks[verb], mark.open == 0 else { return }
            marks[verb] = nil
            try? FileAccess.remove(directory + "/" + verb)
        }
    }

    /// Marks a call as open; end it with `end`.
    func begin(_ verb: String, plugin: String) {
        marks.withLock { marks in
            var mark = marks[verb] ?? Mark(plugin: plugin)
            mark.plugin = plugin
            mark.open += 1
            marks[verb] = mark
            // Without the mark a trap is not counted; the call is worth more than the count.
            if mark.open == 1 {
                try? FileAccess.writeQuickly(mark.json(isOpen: true).serialized, to: directory + "/" + verb)
            }
        }
    }

    func end(_ verb: String) {
        marks.withLock { marks in
            guard var mark = marks[verb] else { return }
            mark.open -= 1
            guard mark.open <= 0 else { return marks[verb] = mark }
            marks[verb] = nil
            try? FileAccess.remove(directory + "/" + verb)
        }
    }
}
