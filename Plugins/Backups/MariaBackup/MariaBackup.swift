// SPDX-License-Identifier: Apache-2.0

public import CTrovePlugin
import TrovePluginKit

/// Physical backups of MariaDB while it runs.
enum MariaBackup: Plugin {
    static let id = "org.trove.mariabackup"
    static let version = "1.0.0"
    static var extensions: [PluginExtension] { [.backup(MariaBackupStrategy.self)] }
}

/// The one exported symbol.
@c @implementation
public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    export(MariaBackup.self, major, minor)
}
