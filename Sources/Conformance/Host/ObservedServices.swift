// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Model
import Synchronization

/// Service tables for a plugin under check: small, complete, without effects outside of the process.
///
/// Programs, servers and peers are out of reach here: those calls fail with TROVE_UNAVAILABLE, as they may anywhere.
///
/// Unchecked: written once, in init.
final class ObservedServices: @unchecked Sendable {
    static let shared = ObservedServices()

    static let everywhere: Set<String> = [
        TROVE_EXT_LOG, TROVE_EXT_CONFIG, TROVE_EXT_KV, TROVE_EXT_HTTP, TROVE_EXT_OBJECT_STORE, TROVE_EXT_RPC,
        TROVE_EXT_METRICS, TROVE_EXT_CLOCK, TROVE_EXT_THREAD_CHECK,
    ]
    static let guest = everywhere.union([TROVE_EXT_PROCESS, TROVE_EXT_REPORT])
    static let control = everywhere.union([TROVE_EXT_CONTROL])

    private let tables: [String: UnsafeRawPointer]

    private init() {
        tables = [
            TROVE_EXT_LOG: Self.keep(Self.log), TROVE_EXT_CONFIG: Self.keep(Self.config),
            TROVE_EXT_PROCESS: Self.keep(Self.process), TROVE_EXT_CONTROL: Self.keep(Self.control_),
            TROVE_EXT_KV: Self.keep(Self.kv), TROVE_EXT_HTTP: Self.keep(Self.http),
            TROVE_EXT_OBJECT_STORE: Self.keep(Self.objects), TROVE_EXT_RPC: Self.keep(Self.rpc),
            TROVE_EXT_METRICS: Self.keep(Self.metrics), TROVE_EXT_REPORT: Self.keep(Self.report),
            TROVE_EXT_CLOCK: Self.keep(Self.clock), TROVE_EXT_THREAD_CHECK: Self.keep(Self.threads),
        ]
    }

    func find(_ id: String) -> UnsafeRawPointer? { tables[id] }

    private static func keep<Table>(_ table: Table) -> UnsafeRawPointer {
        let memory = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        memory.initialize(to: table)
        return UnsafeRawPointer(memory)
    }

    private static func size<Table>(_ type: Table.Type) -> UInt32 { UInt32(MemoryLayout<Table>.size) }

    /// Records a failure as the services do, and returns its status.
    static func fail(_ handle: OpaquePointer?, _ service: String, _ status: Int, _ message: String) -> Int32 {
        ObservedHost.shared.with(handle, service, else: Int32(status)) { call in
            ObservedHost.record(call, Int32(status), message, "")
            return Int32(status)
        }
    }

    private static let log = trove_log_1(
        size: size(trove_log_1.self), flags: 0,
        log: { _, handle, level, message, fields in
            let text = String(borrowed: message)
            let data = [UInt8](borrowed: fields)
            let reporter = ChildReporter.shared
            if level < 0 || level > 6 {
                reporter.fail("services.log", "A line was logged at the level \(level); it is 0 to 6.")
            }
            if !data.isEmpty, (try? JSONValue(parsing: data))?.objectValue == nil {
                reporter.fail("services.log", "The fields of the line '\(text.prefix(40))' are no JSON object.")
            }
            let told = [text, String(decoding: data, as: UTF8.self)]
            guard handle != nil else { return ObservedHost.shared.state.withLock { $0.told += told } }
            ObservedHost.shared.with(handle, "log", else: ()) { if $0.told.count < 256 { $0.told += told } }
        })

    private static let config = trove_config_1(
        size: size(trove_config_1.self), flags: 0, get: { _ in ObservedServices.settings })

    // Written once before the plugin is loaded.
    nonisolated(unsafe) static var settings: trove_str = ObservedHost.constant("{}")

    private static let process = trove_process_1(
        size: size(trove_process_1.self), flags: 0, run: { EnginePrograms.shared.run($0, $1, $2, $3, $4) })

    private static let control_ = trove_control_1(
        size: size(trove_control_1.self), flags: 0,
        call: { call, operation, request, response in
            guard (try? JSONValue(parsing: [UInt8](borrowed: request))) != nil else {
                ChildReporter.shared.fail(
                    "services.requests", "The request of control operation \(String(borrowed: operation)) is not JSON.")
                return ObservedServices.fail(call, "control", Int(TROVE_INVALID_ARGUMENT), "the request is not JSON")
            }
            return ObservedServices.fail(call, "control", Int(TROVE_NOT_FOUND), "there is no such instance")
        })

    private static let http = trove_http_1(
        size: size(trove_http_1.self), flags: 0,
        request: { call, _, _, _, _ in
            ObservedServices.fail(call, "http", Int(TROVE_PERMISSION_DENIED), "the host is not on the egress list")
        })

    private static let rpc = trove_rpc_1(
        size: size(trove_rpc_1.self), flags: 0,
        call: { call, _, _ in ObservedServices.fail(call, "rpc", Int(TROVE_UNAVAILABLE), "the peer cannot be reached")
        },
        cast: { _, _ in Int32(TROVE_OK) })

    private static let report = trove_report_1(
        size: size(trove_report_1.self), flags: 0,
        report: { _, _, kind, document in
            let name = String(borrowed: kind)
            if !["service_status", "root_enabled", "backup"].contains(name) {
                ChildReporter.shared.fail("services.requests", "The kind of report '\(name)' does not exist.")
                return Int32(TROVE_INVALID_ARGUMENT)
            }
            if (try? JSONValue(parsing: [UInt8](borrowed: document)))?.objectValue == nil {
                ChildReporter.shared.fail("services.requests", "A report of kind \(name) is no JSON object.")
                return Int32(TROVE_INVALID_ARGUMENT)
            }
            return Int32(TROVE_OK)
        })

    private static let clock = trove_clock_1(
        size: size(trove_clock_1.self), flags: 0,
        now_ns: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        },
        monotonic_ns: {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        },
        sleep_ns: { ObservedServices.sleep($0, $1) })

    private static func sleep(_ handle: OpaquePointer?, _ nanoseconds: Int64) -> Int32 {
        let end = ContinuousClock.now + .nanoseconds(nanoseconds)
        while ContinuousClock.now < end {
            let verdict: Int32 = ObservedHost.shared.with(handle, "sleep_ns", else: Int32(TROVE_CANCELLED)) { call in
                if call.isCancelled { return Int32(TROVE_CANCELLED) }
                return call.deadline < .now ? Int32(TROVE_TIMED_OUT) : Int32(TROVE_OK)
            }
            if verdict != 0 { return verdict }
            usleep(2000)
        }
        return Int32(TROVE_OK)
    }

    private static let threads = trove_thread_check_1(
        size: size(trove_thread_check_1.self), flags: 0,
        is_worker: { Worker.isCurrent ? 1 : 0 },
        is_loader: { ThreadMark.loader.isCurrent && ObservedHost.shared.state.withLock { $0.isInInit } ? 1 : 0 })

    private static let metrics = trove_metrics_1(
        size: size(trove_metrics_1.self), flags: 0,
        define: { _, _, name, _, _, _ in
            ObservedHost.shared.state.withLock { state in
                state.metrics += 1
                if !state.isInInit {
                    ChildReporter.shared.fail(
                        "services.metrics", "The metric \(String(borrowed: name)) was defined outside of init.")
                }
                if state.metrics > 64 {
                    ChildReporter.shared.fail("services.metrics", "More than 64 metrics were defined.")
                }
            }
            // Never dereferenced.
            return OpaquePointer(bitPattern: 0x7)
        },
        record: { _, _, _, _ in })

    private static let kv = trove_kv_1(
        size: size(trove_kv_1.self), flags: 0,
        get: { ObservedStore.get($0, $1, $2, $3) }, put: { ObservedStore.put($0, $1, $2, $3, $4) },
        remove: { ObservedStore.remove($0, $1, $2) }, list: { ObservedStore.list($0, $1, $2) })

    private static let objects = trove_object_store_1(
        size: size(trove_object_store_1.self), flags: 0,
        get: { call, name, _ in
            ObservedServices.fail(call, "object-store", Int(TROVE_NOT_FOUND), "there is no such object")
        },
        put: { call, _, source in
            guard let source, let read = source.pointee.read else {
                ChildReporter.shared.fail("services.requests", "object-store put was given no source.")
                return Int32(TROVE_INVALID_ARGUMENT)
            }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(source, &buffer, buffer.count)
                if count <= 0 { return Int32(count == 0 ? TROVE_OK : TROVE_UNAVAILABLE) }
            }
        },
        remove: { _, _ in Int32(TROVE_OK) },
        list: { call, _, response in
            ObservedHost.shared.with(call, "object-store", else: Int32(TROVE_PRECONDITION_FAILED)) { call in
                response?.pointee = call.lend(Array(#"{"objects":[],"next":null}"#.utf8))
                return Int32(TROVE_OK)
            }
        })
}
