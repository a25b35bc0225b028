// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Glibc

/// One call of the plugin, as the observing host sees it.
///
/// Unchecked: guarded by the lock of `ObservedHost`.
final class ObservedCall: @unchecked Sendable {
    struct Failure {
        var status: Int32
        var message: String
        var details: String
    }

    let number: UInt
    /// E.g. `datastore.create_users`.
    let function: String
    let deadline: ContinuousClock.Instant
    var output: [UInt8] = []
    var failures: [Failure] = []
    /// Everything that the plugin told operators: messages, details, progress, log lines.
    var told: [String] = []
    var isCancelled = false
    /// The function has returned, and not with TROVE_PENDING.
    var isOver = false
    var completion: Int32?
    var completions = 0
    private(set) var cancelDescriptor: Int32 = -1
    private var lent: [UnsafeMutablePointer<UInt8>] = []

    init(number: UInt, function: String, deadline: ContinuousClock.Instant) {
        self.number = number
        self.function = function
        self.deadline = deadline
    }

    deinit {
        if cancelDescriptor >= 0 { close(cancelDescriptor) }
        for memory in lent { memory.deallocate() }
    }

    var handle: OpaquePointer? { OpaquePointer(bitPattern: number) }

    func openCancelDescriptor() -> Int32 {
        if cancelDescriptor < 0 {
            cancelDescriptor = clinux_eventfd()
            if isCancelled { wake() }
        }
        return cancelDescriptor
    }

    func cancel() {
        isCancelled = true
        if cancelDescriptor >= 0 { wake() }
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(cancelDescriptor, &one, 8)
    }

    /// Bytes that the plugin may read until the call ends.
    func lend(_ bytes: [UInt8]) -> trove_str {
        guard !bytes.isEmpty else { return trove_str() }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        memory.initialize(from: bytes, count: bytes.count)
        lent.append(memory)
        return trove_str(ptr: UnsafeRawPointer(memory).assumingMemoryBound(to: CChar.self), len: bytes.count)
    }
}

extension String {
    /// Copies borrowed bytes; what is no UTF-8 is replaced.
    init(borrowed text: trove_str) { self.init(decoding: [UInt8](borrowed: text), as: UTF8.self) }
}

extension [UInt8] {
    init(borrowed text: trove_str) {
        guard let start = text.ptr, text.len > 0 else {
            self = []
            return
        }
        self = Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(start), count: text.len))
    }
}
