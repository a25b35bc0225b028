// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// What this image knows of its host and of its own extensions.
///
/// The kit is linked into each plugin, so there is one of these a plugin.
enum Runtime {
    // Written once in init, while nothing else runs in the plugin; constant until deinit has returned.
    nonisolated(unsafe) static var host: UnsafePointer<trove_host_1>?
    nonisolated(unsafe) static var log: UnsafePointer<trove_log_1>?
    nonisolated(unsafe) static var config: UnsafePointer<trove_config_1>?
    nonisolated(unsafe) static var process: UnsafePointer<trove_process_1>?
    nonisolated(unsafe) static var control: UnsafePointer<trove_control_1>?
    nonisolated(unsafe) static var kv: UnsafePointer<trove_kv_1>?
    nonisolated(unsafe) static var http: UnsafePointer<trove_http_1>?
    nonisolated(unsafe) static var objects: UnsafePointer<trove_object_store_1>?
    nonisolated(unsafe) static var rpc: UnsafePointer<trove_rpc_1>?
    nonisolated(unsafe) static var metrics: UnsafePointer<trove_metrics_1>?
    nonisolated(unsafe) static var report: UnsafePointer<trove_report_1>?
    nonisolated(unsafe) static var clock: UnsafePointer<trove_clock_1>?
    // Written once in the entry function, before the table is handed out.
    nonisolated(unsafe) static var onStart: () -> Void = {}
    nonisolated(unsafe) static var plugin: UnsafePointer<trove_plugin_1>?
    nonisolated(unsafe) static var tables: [(id: String, table: UnsafeRawPointer)] = []

    static func start(_ host: UnsafePointer<trove_host_1>) -> trove_status {
        guard host.pointee.magic == TROVE_MAGIC, host.pointee.size == UInt32(MemoryLayout<trove_host_1>.size) else {
            return Int32(TROVE_PRECONDITION_FAILED)
        }
        self.host = host
        log = service(host, TROVE_EXT_LOG, trove_log_1.self)
        config = service(host, TROVE_EXT_CONFIG, trove_config_1.self)
        process = service(host, TROVE_EXT_PROCESS, trove_process_1.self)
        control = service(host, TROVE_EXT_CONTROL, trove_control_1.self)
        kv = service(host, TROVE_EXT_KV, trove_kv_1.self)
        http = service(host, TROVE_EXT_HTTP, trove_http_1.self)
        objects = service(host, TROVE_EXT_OBJECT_STORE, trove_object_store_1.self)
        rpc = service(host, TROVE_EXT_RPC, trove_rpc_1.self)
        metrics = service(host, TROVE_EXT_METRICS, trove_metrics_1.self)
        report = service(host, TROVE_EXT_REPORT, trove_report_1.self)
        clock = service(host, TROVE_EXT_CLOCK, trove_clock_1.self)
        onStart()
        return Int32(TROVE_OK)
    }

    /// The host's table for `id`, if it is offered in the layout that this kit was built for.
    private static func service<Table>(
        _ host: UnsafePointer<trove_host_1>, _ id: String, _ type: Table.Type
    ) -> UnsafePointer<Table>? {
        guard let raw = host.pointee.get_extension?(host, id),
            raw.load(as: UInt32.self) == UInt32(MemoryLayout<Table>.size)
        else { return nil }
        return raw.assumingMemoryBound(to: Table.self)
    }

    /// Copies `value` to memory that lives as long as the process.
    static func constant<Value>(_ value: Value) -> UnsafePointer<Value> {
        let pointer = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        pointer.initialize(to: value)
        return UnsafePointer(pointer)
    }

    /// Copies `text` to NUL-terminated memory that lives as long as the process.
    static func constant(_ text: String) -> UnsafePointer<CChar> {
        let bytes = text.utf8CString
        let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { (pointer + index).initialize(to: byte) }
        return UnsafePointer(pointer)
    }
}
