// SPDX-License-Identifier: Apache-2.0

import Glibc
import RedisClient
import TrovePluginKit

extension RedisDatastore: ConfigurationAdministration {
    func applyConfiguration(_ values: [String: JSON], configContents: String, call: Call) throws -> [String] {
        let wanted = Settings.parsed(configContents)
        var changes: [String] = []
        var waiting: [String] = []
        for name in values.keys.sorted() {
            guard let setting = Settings.setting(name) else {
                throw PluginFailure(.invalidArgument, "The setting '\(name)' cannot be changed.")
            }
            if let value = values[name], !value.isNull { _ = try setting.words(value) }
            if setting.isRestartRequired { waiting.append(name) }
            changes.append(setting.name)
        }
        // Without the log of changes there are snapshots, whoever asked for which.
        if changes.contains("appendonly"), !changes.contains("save") { changes.append("save") }
        do {
            try administer(call) { connection in
                if changes.contains("databases") { try checkDatabases(wanted, connection) }
                try set(
                    changes.filter { Settings.setting($0)?.isRestartRequired == false }, wanted, connection, call: call)
            }
        } catch let failure as PluginFailure where failure.status == .unavailable {
            // An engine that is down, perhaps because of its configuration, has the new one with its next start.
            waiting = values.keys.sorted()
        }
        try keep(configContents: configContents)
        return waiting
    }

    private func set(_ names: [String], _ wanted: [Settings.Value], _ connection: Connection, call: Call) throws {
        var command = ["CONFIG", "SET"]
        var isAppendOnly: Bool?
        for name in names {
            let words = try wanted.last { $0.name == name }?.words ?? Self.initialWords(name)
            if name == "appendonly" {
                isAppendOnly = words == ["yes"]
            } else {
                command += [name, words.joined(separator: " ")]
            }
        }
        if command.count > 2 { try connection.run(command, "change the configuration") }
        // Last: one way of keeping the data goes once the other holds all of it.
        let persistence = Persistence(files: files)
        let hasLog = access(files.manifestPath, F_OK) == 0
        if isAppendOnly == true { try persistence.enterLog(connection, call: call) }
        if isAppendOnly == false, hasLog { try persistence.leaveLog(connection, call: call) }
    }

    /// The engine's own default of a setting that the configuration does not have.
    private static func initialWords(_ name: String) throws -> [String] {
        guard let setting = Settings.setting(name), !setting.initial.isNull else { return [] }
        return try setting.words(setting.initial)
    }

    /// The engine does not start on data in a database that there is no more.
    private func checkDatabases(_ wanted: [Settings.Value], _ connection: Connection) throws {
        guard let count = wanted.last(where: { $0.name == "databases" })?.words.first.flatMap({ Int($0) }) else {
            return
        }
        let info = EngineInfo(try connection.run(["INFO", "keyspace"], "look for databases in use"))
        let highest = info.values.keys.compactMap { $0.hasPrefix("db") ? Int($0.dropFirst(2)) : nil }.max() ?? 0
        guard highest < count else {
            throw PluginFailure(
                .preconditionFailed,
                "Database \(highest) holds keys: the setting 'databases' must be \(highest + 1) or more, not \(count).")
        }
    }
}
