// SPDX-License-Identifier: Apache-2.0

public import CTrovePlugin
import TrovePluginKit

/// Databases, users, access and root, as the Database Service API v1.0 has them.
///
/// Only the contract is here. Which names there may be, and what an engine does not have, its own plugin knows.
enum SQLAdmin: Plugin {
    static let id = "org.trove.sqladmin"
    static let version = "1.0.0"
    static var extensions: [PluginExtension] {
        [.api(DatabaseRoutes.all + UserRoutes.all + UserAccessRoutes.all + RootRoutes.all)]
    }
}

/// The one exported symbol.
@c @implementation
public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    export(SQLAdmin.self, major, minor)
}
