// SPDX-License-Identifier: Apache-2.0

/// Statements on `plugin_values`. Placeholders in the order of the comments.
struct PluginValueStatements: Sendable {
    /// plugin, key → value, revision
    let find: String
    /// plugin, key, value; replaces the row under a new revision
    let put: String
    /// plugin, key
    let remove: String
    /// plugin → number of rows
    let count: String
    /// plugin, lowest key, key before the first, key after the last, limit → key, revision
    let list: String
}

struct SQLPluginValueRepository: PluginValueRepository {
    let connection: any StateConnection
    let statements: PluginValueStatements

    func find(pluginID: String, key: String) throws -> PluginValueRecord? {
        try connection.first(statements.find, [.text(pluginID), .text(key)]) { row in
            var reader = RowReader(row)
            return PluginValueRecord(value: try reader.text(), revision: try reader.int())
        }
    }

    func put(pluginID: String, key: String, value: String) throws -> Int {
        try connection.execute(statements.put, [.text(pluginID), .text(key), .text(value)])
        guard let stored = try find(pluginID: pluginID, key: key) else {
            throw StateStoreError(.corrupt, "A plugin's value that was stored is not there.")
        }
        return stored.revision
    }

    func remove(pluginID: String, key: String) throws {
        try connection.execute(statements.remove, [.text(pluginID), .text(key)])
    }

    func count(pluginID: String) throws -> Int {
        try connection.first(statements.count, [.text(pluginID)]) { row in
            var reader = RowReader(row)
            return try reader.int()
        } ?? 0
    }

    func list(pluginID: String, prefix: String, after: String?, limit: Int) throws -> [(key: String, revision: Int)] {
        // DEL is above every byte that a key can have.
        try connection.query(
            statements.list,
            [.text(pluginID), .text(prefix), .text(after ?? ""), .text(prefix + "\u{7f}"), SQLValue(limit)]
        ) { row in
            var reader = RowReader(row)
            return (key: try reader.text(), revision: try reader.int())
        }
    }
}
