// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Glibc
import Model
import Synchronization

/// A mapped library with its tables, as they are: nothing is assumed to be right.
final class PluginUnderCheck {
    typealias Entry = @convention(c) (UInt32, UInt32) -> UnsafePointer<trove_plugin_1>?

    let entry: Entry
    let plugin: UnsafePointer<trove_plugin_1>

    init(entry: @escaping Entry, plugin: UnsafePointer<trove_plugin_1>) {
        self.entry = entry
        self.plugin = plugin
    }

    static let extensions = Group.allCases.compactMap(\.extensionID)

    /// Maps the library.
    ///
    /// - Returns: nil when the loader refuses; its reason is then in `dlerror`.
    static func map(_ path: String) -> UnsafeMutableRawPointer? {
        dlopen(path, RTLD_NOW | RTLD_LOCAL | Int32(RTLD_NODELETE))
    }

    /// Maps and initialises a plugin that the load group found usable.
    static func load(_ order: ChildOrder) throws -> PluginUnderCheck {
        guard let handle = map(order.libraryPath), let symbol = dlsym(handle, "trove_plugin_entry") else {
            throw Unusable()
        }
        _ = clinux_fault_register("the plugin", symbol)
        let entry = unsafeBitCast(symbol, to: Entry.self)
        guard let plugin = entry(UInt32(TROVE_ABI_MAJOR), UInt32(TROVE_ABI_MINOR)), let start = plugin.pointee.`init`
        else {
            throw Unusable()
        }
        ObservedHost.shared.state.withLock { $0.isInInit = true }
        let status = start(ObservedHost.table)
        ObservedHost.shared.state.withLock { $0.isInInit = false }
        guard status == Int32(TROVE_OK) else { throw Unusable() }
        return PluginUnderCheck(entry: entry, plugin: plugin)
    }

    func table(_ id: String) -> UnsafeRawPointer? { plugin.pointee.get_extension?(id).map { UnsafeRawPointer($0) } }

    /// The bytes of the tables that the host reads.
    func snapshot() -> [[UInt8]] {
        var parts = [Self.bytes(UnsafeRawPointer(plugin), MemoryLayout<trove_plugin_1>.size)]
        for id in Self.extensions {
            guard let table = table(id) else { continue }
            parts.append(Self.bytes(table, TableLayout.size(id)))
            parts += TableLayout.parts(id, table)
        }
        return parts
    }

    static func bytes(_ start: UnsafeRawPointer, _ count: Int) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}

/// Sizes of the tables, and where they lead.
enum TableLayout {
    static func size(_ id: String) -> Int {
        switch id {
        case TROVE_EXT_DATASTORE: MemoryLayout<trove_datastore_1>.size
        case TROVE_EXT_DATASTORE_POLICY: MemoryLayout<trove_datastore_policy_1>.size
        case TROVE_EXT_BACKUP: MemoryLayout<trove_backup_1>.size
        case TROVE_EXT_API_EXTENSION: MemoryLayout<trove_api_extension_1>.size
        case TROVE_EXT_ACTIONS: MemoryLayout<trove_actions_1>.size
        case TROVE_EXT_MODULE_DRIVER: MemoryLayout<trove_module_driver_1>.size
        case TROVE_EXT_RPC_PEER: MemoryLayout<trove_rpc_peer_1>.size
        case TROVE_EXT_TLS: MemoryLayout<trove_tls_1>.size
        default: 0
        }
    }

    /// The lists behind a table of a list.
    static func parts(_ id: String, _ table: UnsafeRawPointer) -> [[UInt8]] {
        switch id {
        case TROVE_EXT_API_EXTENSION:
            let list = table.load(as: trove_api_extension_1.self)
            guard let routes = list.routes else { return [] }
            return [
                PluginUnderCheck.bytes(UnsafeRawPointer(routes), Int(list.count) * MemoryLayout<trove_route_1>.stride)
            ]
        case TROVE_EXT_ACTIONS:
            let list = table.load(as: trove_actions_1.self)
            guard let items = list.items else { return [] }
            return [
                PluginUnderCheck.bytes(UnsafeRawPointer(items), Int(list.count) * MemoryLayout<trove_action_1>.stride)
            ]
        default: return []
        }
    }
}
