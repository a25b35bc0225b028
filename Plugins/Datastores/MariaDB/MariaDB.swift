// SPDX-License-Identifier: Apache-2.0

public import CTrovePlugin
import TrovePluginKit

/// MariaDB: the engine's verbs in the guest, its policy in the control plane.
enum MariaDB: Plugin {
    static let id = "org.trove.mariadb"
    static let version = "1.0.0"
    static var extensions: [PluginExtension] {
        [.datastore(MariaDBDatastore.self), .policy(MariaDBPolicy.self), .tls(MariaDBDatastore.self)]
    }
}

/// The one exported symbol.
@c @implementation
public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    export(MariaDB.self, major, minor)
}
