// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Model
import Synchronization

/// The host that a plugin under check talks to. It keeps the boundary's rules and notes every breach of them.
final class ObservedHost: Sendable {
    static let shared = ObservedHost()

    struct State {
        static let first: UInt = 0x7_0000_0001
        var next = first
        var open: [UInt: ObservedCall] = [:]
        /// The functions of calls that are over, for messages about stale handles.
        var recent = [UInt: String](minimumCapacity: 2048)
        var isInInit = false
        /// Services that the plugin asked for, and whether it was given them.
        var asked: [String: Bool] = [:]
        /// Told outside of calls.
        var told: [String] = []
        var store: [String: (value: [UInt8], revision: UInt64)] = [:]
        var objects: [String: [UInt8]] = [:]
        var metrics = 0
    }

    let state = Mutex(State())
    private let offeredIDs = Mutex<Set<String>>([])
    static let outputLimit = 16 << 20

    /// Ids of the service tables that the plugin is given.
    var offered: Set<String> {
        get { offeredIDs.withLock { $0 } }
        set { offeredIDs.withLock { $0 = newValue } }
    }

    func begin(_ function: String, deadline: ContinuousClock.Instant) -> ObservedCall {
        state.withLock { state in
            let call = ObservedCall(number: state.next, function: function, deadline: deadline)
            state.next += 1
            state.open[call.number] = call
            state.recent[call.number] = function
            state.recent[call.number - 512] = nil
            return call
        }
    }

    func end(_ call: ObservedCall) {
        state.withLock { state in
            call.isOver = true
            state.open[call.number] = nil
        }
    }

    /// Works on an open call, under the lock; a handle that is not open is a breach.
    func with<Result: Sendable>(
        _ handle: OpaquePointer?, _ function: String, else fallback: Result, _ body: (ObservedCall) -> Result
    ) -> Result {
        let number = UInt(bitPattern: handle)
        return state.withLock { state in
            if let call = state.open[number] { return body(call) }
            if number >= State.first, number < state.next {
                let name = state.recent[number] ?? "an earlier function"
                let check: String
                switch function {
                case "emit": check = "call.emit-after-return"
                case "complete": check = "call.complete-once"
                default: check = "call.use-after-return"
                }
                ChildReporter.shared.fail(
                    check, "\(function) was called on a call of \(name) that had ended; forget a call when it is over.")
            } else {
                ChildReporter.shared.fail(
                    "call.handle",
                    "\(function) was called with a handle that the host never gave; hand on the call as it came.")
            }
            return fallback
        }
    }

    func service(_ id: String) -> UnsafeRawPointer? {
        let isOffered = offered.contains(id)
        state.withLock { $0.asked[id] = isOffered }
        return isOffered ? ObservedServices.shared.find(id) : nil
    }

    func complete(_ handle: OpaquePointer?, _ status: Int32) {
        with(handle, "complete", else: ()) { call in
            call.completions += 1
            if call.completions > 1 {
                ChildReporter.shared.fail(
                    "call.complete-once",
                    "\(call.function) called complete twice on one call; complete it exactly once.")
            } else {
                call.completion = status
            }
        }
    }

    // Constant after the first use.
    nonisolated(unsafe) static let table: UnsafePointer<trove_host_1> = {
        let table = UnsafeMutablePointer<trove_host_1>.allocate(capacity: 1)
        table.initialize(
            to: trove_host_1(
                size: UInt32(MemoryLayout<trove_host_1>.size), magic: TROVE_MAGIC, abi_major: UInt16(TROVE_ABI_MAJOR),
                abi_minor: UInt16(TROVE_ABI_MINOR), flags: 0, name: constant("trove-check"), version: constant("1.0.0"),
                get_extension: { _, id in ObservedHost.shared.service(id.map { String(cString: $0) } ?? "") },
                emit: { ObservedHost.emit($0, $1, $2) },
                fail: { ObservedHost.fail($0, $1, $2, $3) },
                is_cancelled: { handle in
                    ObservedHost.shared.with(handle, "is_cancelled", else: 1) { $0.isCancelled ? 1 : 0 }
                },
                cancel_fd: { handle in
                    ObservedHost.shared.with(handle, "cancel_fd", else: -1) { $0.openCancelDescriptor() }
                },
                time_left_ns: { handle in
                    ObservedHost.shared.with(handle, "time_left_ns", else: 0) { call in
                        let left = call.deadline - .now
                        return left.components.seconds * 1_000_000_000 + left.components.attoseconds / 1_000_000_000
                    }
                },
                progress: { ObservedHost.progress($0, $1, $2) },
                complete: { ObservedHost.shared.complete($0, $1) }))
        return UnsafePointer(table)
    }()

    static func constant(_ text: String) -> trove_str {
        let copy = strdup(text)
        return trove_str(ptr: UnsafePointer(copy), len: text.utf8.count)
    }
}

extension ObservedHost {
    static func emit(_ handle: OpaquePointer?, _ data: UnsafeRawPointer?, _ count: Int) -> Int32 {
        shared.with(handle, "emit", else: Int32(TROVE_PRECONDITION_FAILED)) { call in
            guard data != nil || count == 0 else {
                ChildReporter.shared.fail("call.emit", "\(call.function) emitted \(count) bytes from NULL.")
                return Int32(TROVE_INVALID_ARGUMENT)
            }
            guard call.output.count + count <= outputLimit else { return Int32(TROVE_EXHAUSTED) }
            call.output.append(contentsOf: UnsafeRawBufferPointer(start: data, count: count))
            return Int32(TROVE_OK)
        }
    }

    static func fail(_ handle: OpaquePointer?, _ status: Int32, _ message: trove_str, _ details: trove_str) -> Int32 {
        shared.with(handle, "fail", else: status) { call in
            record(call, status, String(borrowed: message), String(borrowed: details))
            if String(validating: [UInt8](borrowed: message), as: UTF8.self) == nil {
                ChildReporter.shared.fail("errors.message", "\(call.function) failed with a message that is not UTF-8.")
            }
            return status
        }
    }

    static func record(_ call: ObservedCall, _ status: Int32, _ message: String, _ details: String) {
        call.failures.append(.init(status: status, message: message, details: details))
        call.told += [message, details]
    }

    static func progress(_ handle: OpaquePointer?, _ permille: Int32, _ message: trove_str) {
        shared.with(handle, "progress", else: ()) { call in
            if permille < -1 || permille > 1000 {
                ChildReporter.shared.fail(
                    "call.progress",
                    "\(call.function) reported \(permille) permille; it is 0 to 1000, or -1 for unknown.")
            }
            if call.told.count < 256 { call.told.append(String(borrowed: message)) }
        }
    }
}
