// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Glibc

/// A mapped library and its plugin table, checked as far as that needs no manifest.
///
/// Unchecked: both pointers lead to memory that is constant until the process ends.
struct LibraryImage: @unchecked Sendable {
    let plugin: UnsafePointer<trove_plugin_1>
    let id: String
    let version: String

    /// Maps an open library and asks it for its table.
    ///
    /// The descriptor stays open for ever when this got as far as mapping: the loader remembers libraries by the path
    /// `/proc/self/fd/N`, and would give the first library for a second one under the same number.
    ///
    /// - Parameters:
    ///   - path: For messages.
    ///   - faultName: What fatal signals in the library are reported under; nil: the id.
    /// - Throws: `PluginRefusal` with cause `dlopen`, `entry` or `abi`.
    static func open(_ file: Int32, path: String, id: String, faultName: String? = nil) throws(PluginRefusal)
        -> LibraryImage
    {
        func refuse(_ cause: PluginRefusal.Cause, _ message: String) -> PluginRefusal {
            PluginRefusal(path: path, id: id, cause: cause, message: message)
        }
        guard let handle = dlopen("/proc/self/fd/\(file)", RTLD_NOW | RTLD_LOCAL | Int32(RTLD_NODELETE)) else {
            let message = dlerror().map { String(cString: $0) } ?? "unknown reason"
            close(file)
            throw refuse(.dlopen, "cannot be mapped: \(message)")
        }
        guard let symbol = dlsym(handle, "trove_plugin_entry") else {
            throw refuse(.entry, "does not export trove_plugin_entry")
        }
        _ = clinux_fault_register(faultName ?? id, symbol)
        typealias Entry = @convention(c) (UInt32, UInt32) -> UnsafePointer<trove_plugin_1>?
        let entry = unsafeBitCast(symbol, to: Entry.self)
        let major = UInt32(TROVE_ABI_MAJOR)
        let minor = UInt32(TROVE_ABI_MINOR)
        guard let plugin = entry(major, minor) else {
            throw refuse(.abi, "trove_plugin_entry returned NULL: it has nothing for ABI \(major).\(minor)")
        }
        let table = plugin.pointee
        guard table.magic == TROVE_MAGIC else { throw refuse(.abi, "is not a plugin of this system: wrong magic") }
        // Before the size, which another major version may have changed.
        guard UInt32(table.abi_major) == major else {
            throw refuse(.abi, "is for ABI \(table.abi_major).\(table.abi_minor), this host has \(major).\(minor)")
        }
        guard table.size == UInt32(MemoryLayout<trove_plugin_1>.size) else {
            throw refuse(
                .abi, "trove_plugin_1 has \(table.size) bytes in the plugin, \(MemoryLayout<trove_plugin_1>.size) here")
        }
        guard let name = table.id, let version = table.version, table.`init` != nil, table.get_extension != nil else {
            throw refuse(.table, "trove_plugin_1 lacks id, version, init or get_extension")
        }
        return LibraryImage(plugin: plugin, id: String(cString: name), version: String(cString: version))
    }

    /// The plugin's table for an extension.
    func table(_ id: String) -> UnsafeRawPointer? { plugin.pointee.get_extension?(id).map { UnsafeRawPointer($0) } }

    func initialize(_ host: UnsafePointer<trove_host_1>) -> Int32 {
        ThreadRole.run(.loader) { plugin.pointee.`init`?(host) ?? Int32(TROVE_INTERNAL) }
    }

    func deinitialize() { ThreadRole.run(.loader) { plugin.pointee.deinit?() } }
}
