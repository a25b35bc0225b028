// SPDX-License-Identifier: Apache-2.0

extension PluginValueStatements {
    static let sqlite = PluginValueStatements(
        find: "SELECT value, revision FROM plugin_values WHERE plugin_id = ? AND key = ?",
        put: "INSERT OR REPLACE INTO plugin_values (plugin_id, key, value) VALUES (?, ?, ?)",
        remove: "DELETE FROM plugin_values WHERE plugin_id = ? AND key = ?",
        count: "SELECT COUNT(*) FROM plugin_values WHERE plugin_id = ?",
        list: """
            SELECT key, revision FROM plugin_values WHERE plugin_id = ? AND key >= ? AND key > ? AND key < ?
            ORDER BY key LIMIT ?
            """
    )
}
