// SPDX-License-Identifier: Apache-2.0

public import CTrovePlugin
import TrovePluginKit

/// Physical backups of PostgreSQL while it runs.
enum PgBaseBackup: Plugin {
    static let id = "org.trove.pgbasebackup"
    static let version = "1.0.0"
    static var extensions: [PluginExtension] { [.backup(PgBaseBackupStrategy.self)] }
}

/// The one exported symbol.
@c @implementation
public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    export(PgBaseBackup.self, major, minor)
}
