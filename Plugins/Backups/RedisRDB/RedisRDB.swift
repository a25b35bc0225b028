// SPDX-License-Identifier: Apache-2.0

public import CTrovePlugin
import TrovePluginKit

/// Snapshots of Redis while it runs.
enum RedisRDB: Plugin {
    static let id = "org.trove.redisrdb"
    static let version = "1.0.0"
    static var extensions: [PluginExtension] { [.backup(RedisRDBStrategy.self)] }
}

/// The one exported symbol.
@c @implementation
public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    export(RedisRDB.self, major, minor)
}
