// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Synchronization
import TrovePluginKit

/// The services that every role has. Constant after the first use.
extension TestHost {
    nonisolated(unsafe) static let kv = constant(
        trove_kv_1(
            size: UInt32(MemoryLayout<trove_kv_1>.size), flags: 0,
            get: { handle, key, value, revision in
                TestHost.perform(handle) { call in
                    guard let found = call.services.values[String(key)] else {
                        throw CallFailure(status: trove_status(TROVE_NOT_FOUND), message: "there is none")
                    }
                    value?.pointee = call.lend(found.bytes)
                    revision?.pointee = found.revision
                }
            },
            put: { handle, key, value, expected, revision in
                TestHost.perform(handle) { call in
                    let bytes = Array(UnsafeRawBufferPointer(start: value.ptr, count: value.len))
                    revision?.pointee = try call.services.put(String(key), bytes, expected: expected)
                }
            },
            remove: { handle, key, expected in
                TestHost.perform(handle) { try $0.services.remove(String(key), expected: expected) }
            },
            list: { handle, request, response in
                TestHost.answer(handle, response) { call in
                    let values = call.services.values
                    return TestServices.page(try JSON(parsing: String(request)), values.keys, "keys") {
                        ["key": .string($0), "revision": .int(Int64(values[$0]?.revision ?? 0))]
                    }
                }
            }))

    nonisolated(unsafe) static let objects = constant(
        trove_object_store_1(
            size: UInt32(MemoryLayout<trove_object_store_1>.size), flags: 0,
            get: { handle, name, sink in
                TestHost.perform(handle) { call in
                    guard let bytes = call.services.objects[String(name)] else {
                        throw CallFailure(status: trove_status(TROVE_NOT_FOUND), message: "there is none")
                    }
                    try TestStream.write(bytes, to: sink)
                }
            },
            put: { handle, name, source in
                TestHost.perform(handle) { $0.services.objects[String(name)] = try TestStream.read(source) }
            },
            remove: { handle, name in TestHost.perform(handle) { $0.services.objects[String(name)] = nil } },
            list: { handle, request, response in
                TestHost.answer(handle, response) { call in
                    let objects = call.services.objects
                    return TestServices.page(try JSON(parsing: String(request)), objects.keys, "objects") {
                        ["name": .string($0), "bytes": .int(Int64(objects[$0]?.count ?? 0))]
                    }
                }
            }))

    nonisolated(unsafe) static let http = constant(
        trove_http_1(
            size: UInt32(MemoryLayout<trove_http_1>.size), flags: 0,
            request: { handle, request, body, sink, response in
                TestHost.answer(handle, response) { call in
                    let (answer, bytes) = try call.services.exchange(
                        try JSON(parsing: String(request)), try TestStream.read(body))
                    try TestStream.write(bytes, to: sink)
                    return answer
                }
            }))

    nonisolated(unsafe) static let rpc = constant(
        trove_rpc_1(
            size: UInt32(MemoryLayout<trove_rpc_1>.size), flags: 0,
            call: { handle, request, response in
                TestHost.answer(handle, response) { try $0.services.peer(try JSON(parsing: String(request))) }
            },
            cast: { handle, request in
                TestHost.perform(handle) { $0.services.casts.append(try JSON(parsing: String(request))) }
            }))

    /// Handles are 1, 2, …; what is recorded is kept as `handle value [labels]`.
    nonisolated(unsafe) static let metrics = constant(
        trove_metrics_1(
            size: UInt32(MemoryLayout<trove_metrics_1>.size), flags: 0,
            define: { _, kind, name, help, labels, count in
                let words = UnsafeBufferPointer(start: labels, count: Int(count)).map { String($0) }
                return TestServices.measurements.withLock { lines in
                    lines.append("\(kind) \(String(name)) \(words): \(String(help))")
                    return String(name) == "refused" ? nil : OpaquePointer(bitPattern: lines.count)
                }
            },
            record: { metric, value, labels, count in
                let words = UnsafeBufferPointer(start: labels, count: Int(count)).map { String($0) }
                TestServices.measurements.withLock { $0.append("\(Int(bitPattern: metric)) \(value) \(words)") }
            }))

    nonisolated(unsafe) static let report = constant(
        trove_report_1(
            size: UInt32(MemoryLayout<trove_report_1>.size), flags: 0,
            report: { _, handle, kind, document in
                let line = "\(String(kind)) \(String(document))"
                guard String(kind) != "backup" || !line.contains("refused") else {
                    guard handle != nil else { return trove_status(TROVE_EXHAUSTED) }
                    return TestHost.perform(handle) { _ in
                        throw CallFailure(status: trove_status(TROVE_EXHAUSTED), message: "too many reports")
                    }
                }
                TestServices.reports.withLock { $0.append(line) }
                return 0
            }))

    nonisolated(unsafe) static let clock = constant(
        trove_clock_1(
            size: UInt32(MemoryLayout<trove_clock_1>.size), flags: 0, now_ns: { 1_700_000_000_000_000_000 },
            monotonic_ns: { 42 },
            sleep_ns: { handle, nanoseconds in
                TestHost.perform(handle) { call in
                    guard !call.isCancelled else {
                        throw CallFailure(status: trove_status(TROVE_CANCELLED), message: "the call was cancelled")
                    }
                    call.services.pauses.append(nanoseconds)
                }
            }))

    private static func constant<Table>(_ table: Table) -> UnsafePointer<Table> {
        let pointer = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        pointer.initialize(to: table)
        return UnsafePointer(pointer)
    }
}
