// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
package import PluginHost
import Synchronization

/// Plugins' values in files of the agent's own: `<directory>/<plugin id>/<revision>`, 0600.
///
/// A file begins with one line, the key as a JSON text, and goes on with the value. A new value is a new file, renamed
/// into place before the old one goes; of two with one key the newer counts. `last` holds the highest revision after a
/// removal, so that none is given twice.
package final class FileKeyValueStore: KeyValueStore {
    package static let keyLimit = 10_000

    private let directory: String
    private struct Values {
        var keys: [String: Int] = [:]
        /// The highest revision that was given.
        var last = 0
    }

    private let plugins = Mutex<[String: Values]>([:])

    /// - Parameter directory: Made when the first value is.
    package init(directory: String) { self.directory = directory }

    package func get(_ key: String, _ caller: PluginCaller) throws(PluginError) -> StoredValue? {
        try value(key, of: caller.pluginID)
    }

    package func put(
        _ key: String, _ value: [UInt8], expected: ExpectedRevision, _ caller: PluginCaller
    ) throws(PluginError) -> Int { try put(key, value, expected: expected, of: caller.pluginID) }

    package func remove(
        _ key: String, expected: ExpectedRevision, _ caller: PluginCaller
    ) throws(PluginError) { try remove(key, expected: expected, of: caller.pluginID) }

    package func list(_ range: NameRange, _ caller: PluginCaller) throws(PluginError) -> KeyPage {
        try list(range, of: caller.pluginID)
    }

    func value(_ key: String, of plugin: String) throws(PluginError) -> StoredValue? {
        try change(plugin) { keys, _ throws(GuestAgentError) in
            guard let revision = keys[key] else { return nil }
            guard let bytes = try FileAccess.read(path(plugin, revision), limit: 1 << 20),
                let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
            else { throw GuestAgentError(.storage, "the value '\(key)' is not whole any more") }
            return StoredValue(value: Array(bytes[(end + 1)...]), revision: revision)
        }
    }

    func put(
        _ key: String, _ value: [UInt8], expected: ExpectedRevision, of plugin: String
    ) throws(PluginError) -> Int {
        var refusal: PluginError?
        let revision = try change(plugin) { keys, last throws(GuestAgentError) -> Int in
            let old = keys[key]
            guard expected.allows(old) else {
                refusal = Self.mismatch(key, old)
                return 0
            }
            guard old != nil || keys.count < Self.keyLimit else {
                refusal = PluginError(.exhausted, "the plugin has \(Self.keyLimit) values already")
                return 0
            }
            try FileAccess.makeDirectory(directory)
            try FileAccess.makeDirectory(directory + "/" + plugin)
            let line = JSONValue.string(key).serialized + [UInt8(ascii: "\n")]
            try FileAccess.write(line + value, to: path(plugin, last + 1))
            last += 1
            keys[key] = last
            if let old { try FileAccess.remove(path(plugin, old)) }
            return last
        }
        if let refusal { throw refusal }
        return revision
    }

    func remove(_ key: String, expected: ExpectedRevision, of plugin: String) throws(PluginError) {
        var refusal: PluginError?
        try change(plugin) { keys, last throws(GuestAgentError) in
            let old = keys[key]
            guard expected.allows(old) else {
                refusal = Self.mismatch(key, old)
                return
            }
            guard let old else { return }
            try FileAccess.write(Array("\(last)".utf8), to: directory + "/" + plugin + "/last")
            try FileAccess.remove(path(plugin, old))
            keys[key] = nil
        }
        if let refusal { throw refusal }
    }

    func list(_ range: NameRange, of plugin: String) throws(PluginError) -> KeyPage {
        let keys = try change(plugin) { keys, _ throws(GuestAgentError) in keys }
        let items = keys.filter { key, _ in
            key.hasPrefix(range.prefix) && (range.after.map { Self.isOrdered($0, key) } ?? true)
        }.map { KeyPage.Item(key: $0.key, revision: $0.value) }.sorted { Self.isOrdered($0.key, $1.key) }
        let page = Array(items.prefix(range.limit))
        return KeyPage(items: page, next: items.count > range.limit ? page.last?.key : nil)
    }

    private static func isOrdered(_ first: String, _ second: String) -> Bool {
        first.utf8.lexicographicallyPrecedes(second.utf8)
    }

    private static func mismatch(_ key: String, _ found: Int?) -> PluginError {
        PluginError(.preconditionFailed, "the value '\(key)' \(found.map { "has revision \($0)" } ?? "is not there")")
    }

    private func path(_ plugin: String, _ revision: Int) -> String { "\(directory)/\(plugin)/\(revision)" }

    /// Runs `body` on a plugin's keys and highest revision, alone.
    private func change<Value>(
        _ plugin: String, _ body: (inout [String: Int], inout Int) throws(GuestAgentError) -> Value
    ) throws(PluginError) -> Value {
        let result: Result<Value, GuestAgentError> = plugins.withLock { plugins in
            do throws(GuestAgentError) {
                var values: Values
                if let known = plugins[plugin] { values = known } else { values = try read(plugin) }
                defer { plugins[plugin] = values }
                return .success(try body(&values.keys, &values.last))
            } catch {
                return .failure(error)
            }
        }
        do throws(GuestAgentError) { return try result.get() } catch { throw PluginError(.unavailable, error.message) }
    }

    /// What an agent before this one left.
    private func read(_ plugin: String) throws(GuestAgentError) -> Values {
        let own = directory + "/" + plugin
        var keys: [String: Int] = [:]
        var highest = 0
        if let text = try FileAccess.read(own + "/last", limit: 64) {
            highest = Int(String(decoding: text, as: UTF8.self)) ?? 0
        }
        for revision in FileAccess.names(in: own).compactMap({ Int($0) }).sorted() {
            highest = max(highest, revision)
            guard let bytes = try FileAccess.read(path(plugin, revision), limit: 1 << 20),
                let end = bytes.firstIndex(of: UInt8(ascii: "\n")),
                let key = (try? JSONValue(parsing: Array(bytes[..<end])))?.stringValue
            else { continue }
            // The agent ended between a new value and the end of the old one.
            if let older = keys.updateValue(revision, forKey: key) { try FileAccess.remove(path(plugin, older)) }
        }
        return Values(keys: keys, last: highest)
    }
}
