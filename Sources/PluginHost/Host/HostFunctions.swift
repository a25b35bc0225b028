// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// The C functions of `trove_host_1`. Plugins call them on any thread, so they only look up and hand on.
enum HostFunctions {
    static func table(name: trove_str, version: trove_str) -> trove_host_1 {
        trove_host_1(
            size: UInt32(MemoryLayout<trove_host_1>.size),
            magic: TROVE_MAGIC,
            abi_major: UInt16(TROVE_ABI_MAJOR),
            abi_minor: UInt16(TROVE_ABI_MINOR),
            flags: 0,
            name: name,
            version: version,
            get_extension: { host, id in HostFunctions.service(host, id) },
            emit: { call, data, count in
                CallTable.shared.find(call, "emit")?.emit(data, count) ?? trove_status(TROVE_PRECONDITION_FAILED)
            },
            fail: { call, code, message, details in
                CallTable.shared.find(call, "fail")?.fail(code, message, details) ?? code
            },
            is_cancelled: { call in
                CallTable.shared.find(call, "is_cancelled")?.isCancelled ?? true ? 1 : 0
            },
            cancel_fd: { call in CallTable.shared.find(call, "cancel_fd")?.cancelFD() ?? -1 },
            time_left_ns: { call in CallTable.shared.find(call, "time_left_ns")?.timeLeftNanoseconds() ?? 0 },
            progress: { call, permille, message in
                CallTable.shared.find(call, "progress")?.progress(permille, message)
            },
            complete: { call, status in CallTable.shared.find(call, "complete")?.complete(status) }
        )
    }

    private static func service(_ host: UnsafePointer<trove_host_1>?, _ id: UnsafePointer<CChar>?) -> UnsafeRawPointer?
    {
        guard let id, let context = HostContexts.shared.find(host) else { return nil }
        let name = String(cString: id)
        guard context.services.contains(name) else { return nil }
        return ServiceTables.shared.find(name)
    }
}

/// The host's service tables: constant, one set a process.
///
/// Unchecked: written once, in init.
final class ServiceTables: @unchecked Sendable {
    static let shared = ServiceTables()

    private let tables: [String: UnsafeRawPointer]

    private init() {
        tables = [
            TROVE_EXT_LOG: Self.keep(LogService.table),
            TROVE_EXT_CONFIG: Self.keep(ConfigService.table),
            TROVE_EXT_PROCESS: Self.keep(ProcessService.table),
            TROVE_EXT_CONTROL: Self.keep(ControlService.table),
            TROVE_EXT_KV: Self.keep(KeyValueService.table),
            TROVE_EXT_HTTP: Self.keep(HTTPService.table),
            TROVE_EXT_OBJECT_STORE: Self.keep(ObjectStoreService.table),
            TROVE_EXT_RPC: Self.keep(RPCService.table),
            TROVE_EXT_METRICS: Self.keep(MetricsService.table),
            TROVE_EXT_REPORT: Self.keep(ReportService.table),
            TROVE_EXT_CLOCK: Self.keep(ClockService.table),
            TROVE_EXT_THREAD_CHECK: Self.keep(ThreadCheckService.table),
        ]
    }

    func find(_ id: String) -> UnsafeRawPointer? { tables[id] }

    private static func keep<Table>(_ table: Table) -> UnsafeRawPointer {
        let memory = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        memory.initialize(to: table)
        return UnsafeRawPointer(memory)
    }
}
