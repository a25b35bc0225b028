// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The engine's settings: for a size, and as the text of a configuration file.
enum Settings {
    typealias Value = (name: String, words: [String])

    /// Settings for an instance of `memoryMiB`, in the order they are written.
    ///
    /// Shape: keys get 60 % of the memory; what is left holds the engine (about 12 MiB), its clients, and the pages that are
    /// copied while a snapshot is written. Nothing is evicted, and an acknowledged write is on disk a second later.
    static func values(memoryMiB: Int) -> [Value] {
        [
            ("maxmemory", [String(memoryMiB * 60 / 100 << 20)]),
            ("maxmemory-policy", ["noeviction"]),
            ("maxclients", [String(min(max(memoryMiB * 5, 200), 10000))]),
            ("databases", ["16"]),
            ("appendonly", ["yes"]),
            ("appendfsync", ["everysec"]),
            ("save", [""]),
            ("rdbchecksum", ["yes"]),
            // A backup takes the stream of a replica, which is alone: nothing to wait for.
            ("repl-diskless-sync", ["yes"]),
            ("repl-diskless-sync-delay", ["0"]),
            ("always-show-logo", ["no"]),
        ]
    }

    /// The settings of a configuration group in the engine's spelling, in the order of their names.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` naming a setting that is not a tenant's, or a value it does not take.
    static func overrides(_ values: [String: JSON]) throws -> [Value] {
        try values.sorted { $0.key < $1.key }.map { key, value in
            guard let setting = setting(key) else {
                throw PluginFailure(.invalidArgument, "The setting '\(key)' cannot be changed.")
            }
            return (setting.name, try setting.words(value))
        }
    }

    /// A setting by its name, with `_` for `-` too.
    static func setting(_ name: String) -> Setting? {
        Catalogue.byName[String(name.map { $0 == "_" ? "-" : $0 }).lowercased()]
    }

    /// Refuses more memory for keys than the instance has.
    static func check(_ values: [Value], memoryMiB: Int) throws {
        guard let limit = values.first(where: { $0.name == "maxmemory" })?.words.first.flatMap({ Int64($0) }) else {
            return
        }
        guard limit <= Int64(memoryMiB) << 20 else {
            throw PluginFailure(
                .invalidArgument, "The setting 'maxmemory' is more than the flavor's memory of \(memoryMiB) MiB.")
        }
    }

    /// `values` with `overrides` in their places. Without the log of changes there are snapshots.
    static func merged(_ values: [Value], _ overrides: [Value]) -> [Value] {
        let names = Set(overrides.map(\.name))
        var result = values.filter { !names.contains($0.name) } + overrides
        let isAppendOnly = result.last { $0.name == "appendonly" }?.words == ["yes"]
        if !isAppendOnly, !names.contains("save"), let place = result.firstIndex(where: { $0.name == "save" }),
            result[place].words == [""]
        {
            result[place].words = ["3600", "1", "300", "100", "60", "10000"]
        }
        return result
    }

    /// The settings of a text that `text` wrote.
    static func parsed(_ text: String) -> [Value] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(separator: " ").map { $0 == "\"\"" ? "" : String($0) }
            guard let name = words.first, !name.hasPrefix("#"), words.count > 1 else { return nil }
            return (name, Array(words.dropFirst()))
        }
    }

    /// Lines of a configuration file.
    static func text(_ values: [Value]) -> String {
        values.map { "\($0.name) \($0.words.map(quoted).joined(separator: " "))\n" }.joined()
    }

    /// A word as a configuration file takes it: in quotes, with a backslash before what would end them.
    private static func quoted(_ word: String) -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:%".unicodeScalars)
        guard word.isEmpty || !word.unicodeScalars.allSatisfy(plain.contains) else { return word }
        var result = "\""
        for scalar in word.unicodeScalars {
            if scalar == "\\" || scalar == "\"" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }
}
