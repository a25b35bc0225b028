// SPDX-License-Identifier: Apache-2.0

/// What to check, and with what.
package struct ConformanceOptions: Sendable {
    /// The plugin's directory.
    package var plugin: String
    /// Program and arguments that start a child: it calls `ConformanceChild.main`.
    package var childCommand: [String]
    /// Whether a datastore's real engine is run; needs root and the engine's programs.
    package var runsEngine = false
    /// Directory of the backup strategy to use with the engine; nil: one beside the plugin.
    package var backup: String?
    /// Directory of the boundary's schemas.
    package var schemas: String
    /// Calls of each function in the leak checks.
    package var repeats = 1000
    /// Where temporary directories are made.
    package var temporaryDirectory = "/tmp"
    /// Children at a time.
    package var width = 2
    /// Name and version of the host, for the report.
    package var host: String

    package init(plugin: String, childCommand: [String], schemas: String, host: String) {
        self.plugin = plugin
        self.childCommand = childCommand
        self.schemas = schemas
        self.host = host
    }
}
