// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

public import CTrovePlugin
import TrovePluginKit

/// What the plugin is called and what it offers.
enum Main: Plugin {
    static let id = "__ID__"
    static let version = "1.0.0"
    static var extensions: [PluginExtension] { [.backup(Strategy.self)] }
}

/// The one exported symbol.
@c @implementation
public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    export(Main.self, major, minor)
}
