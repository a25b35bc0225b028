// SPDX-License-Identifier: Apache-2.0

public import CTrovePlugin

/// One plugin: what it is called and what it offers.
///
/// ```swift
/// enum Valkey: Plugin {
///     static let id = "org.example.valkey"
///     static let version = "1.0.0"
///     static var extensions: [PluginExtension] { [.datastore(ValkeyDatastore.self), .policy(ValkeyPolicy.self)] }
/// }
///
/// @c @implementation
/// public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
///     export(Valkey.self, major, minor)
/// }
/// ```
public protocol Plugin {
    /// Reverse DNS; equal to the manifest's.
    static var id: String { get }
    /// Semantic version; equal to the manifest's.
    static var version: String { get }
    /// What it offers, one of a kind at most; equal to the manifest's `provides`.
    static var extensions: [PluginExtension] { get }
    /// Called once, when the host's services are there and before anything else; returns at once. Metrics are made here.
    static func start()
}

extension Plugin {
    /// Nothing to do.
    public static func start() {}
}

/// A table that a plugin offers to the host.
public struct PluginExtension {
    let id: String
    let table: UnsafeRawPointer

    init<Table>(_ id: String, _ table: Table) {
        self.id = id
        self.table = UnsafeRawPointer(Runtime.constant(table))
    }
}

/// Builds the plugin's constant table: the whole body of `trove_plugin_entry`.
///
/// - Returns: The table, the same one each time, or `nil` for a host of another major version.
public func export(_ plugin: any Plugin.Type, _ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    guard major == TROVE_ABI_MAJOR else { return nil }
    if let existing = Runtime.plugin { return existing }
    Runtime.onStart = { plugin.start() }
    Runtime.tables = plugin.extensions.map { ($0.id, $0.table) }
    let table = trove_plugin_1(
        size: UInt32(MemoryLayout<trove_plugin_1>.size),
        magic: TROVE_MAGIC,
        abi_major: UInt16(TROVE_ABI_MAJOR),
        abi_minor: UInt16(TROVE_ABI_MINOR),
        flags: 0,
        id: Runtime.constant(plugin.id),
        version: Runtime.constant(plugin.version),
        init: { host in
            guard let host else { return Int32(TROVE_INVALID_ARGUMENT) }
            return Runtime.start(host)
        },
        deinit: {},
        get_extension: { id in
            guard let id else { return nil }
            let name = String(cString: id)
            return Runtime.tables.first { $0.id == name }?.table
        }
    )
    Runtime.plugin = Runtime.constant(table)
    return Runtime.plugin
}
