// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// Values of plugins in the control plane. A revision is never given twice, also after a removal.
    static let pluginValues = Migration(
        number: 2,
        name: "plugin values",
        statements: [
            """
            CREATE TABLE plugin_values (
                revision INTEGER PRIMARY KEY AUTOINCREMENT,
                plugin_id TEXT NOT NULL,
                key TEXT NOT NULL,
                value TEXT NOT NULL,
                UNIQUE (plugin_id, key)
            ) STRICT
            """
        ]
    )
}
