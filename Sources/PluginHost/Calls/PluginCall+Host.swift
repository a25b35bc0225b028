// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Glibc
import Logging
import Model
import Synchronization

/// What a plugin may do with its call; each is one function of `trove_host_1`.
extension PluginCall {
    /// Bytes that one call may emit.
    static let outputLimit = 16 << 20
    private static let messageLimit = 4096
    private static let progressInterval: Duration = .milliseconds(250)

    func emit(_ data: UnsafeRawPointer?, _ count: Int) -> trove_status {
        guard count > 0 else { return trove_status(TROVE_OK) }
        guard let data else { return trove_status(TROVE_INVALID_ARGUMENT) }
        return state.withLock { state in
            guard count <= Self.outputLimit - state.output.count else { return trove_status(TROVE_EXHAUSTED) }
            state.output.append(contentsOf: UnsafeRawBufferPointer(start: data, count: count))
            return trove_status(TROVE_OK)
        }
    }

    func fail(_ code: trove_status, _ message: trove_str, _ details: trove_str) -> trove_status {
        let text = Borrowed.text(message, limit: Self.messageLimit)
        let parsed = details.len > 0 ? try? JSONValue(parsing: Borrowed.bytes(details)) : nil
        record(
            PluginError(
                PluginError.Code(status: code) ?? .internal, pluginID: host.id,
                text.isEmpty ? "\(function) failed" : text,
                details: parsed?.objectValue == nil ? nil : parsed))
        return code
    }

    /// Keeps the reason that a service had, as if the plugin had called `fail`.
    func record(_ error: PluginError) { state.withLock { $0.failure = error } }

    var isCancelled: Bool { state.withLock { $0.stop != nil } }

    var stopReason: StopReason? { state.withLock { $0.stop } }

    func cancelFD() -> Int32 {
        state.withLock { state in
            guard state.cancelFD < 0, state.phase != .over else { return state.cancelFD }
            state.cancelFD = clinux_eventfd()
            if state.stop != nil { Self.signal(state.cancelFD) }
            return state.cancelFD
        }
    }

    func timeLeftNanoseconds() -> Int64 {
        let left = ContinuousClock.now.duration(to: options.deadline.instant)
        let (seconds, attoseconds) = left.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? 0 : .max) : product &+ attoseconds / 1_000_000_000
    }

    func progress(_ permille: Int32, _ message: trove_str) {
        guard let report = options.onProgress else { return }
        let isDue = state.withLock { state in
            guard state.answer != nil else { return false }
            let now = ContinuousClock.now
            if let last = state.lastProgress, now < last + Self.progressInterval, permille < 1000 { return false }
            state.lastProgress = now
            return true
        }
        if isDue { report(Int(permille.clamped(to: -1...1000)), Borrowed.text(message, limit: Self.messageLimit)) }
    }

    /// Ends a pending call. A second time is logged.
    func complete(_ status: Int32) {
        let (isSecond, finish) = state.withLock { state in
            guard state.completion == nil else { return (true, (@Sendable (Int32) -> Void)?.none) }
            state.completion = status
            return (false, state.phase == .pending ? state.finish : nil)
        }
        if isSecond { host.misbehaved("plugin completed a call twice", ["plugin.function": "\(function)"]) }
        finish?(status)
    }
}

/// Reads what a plugin lends.
enum Borrowed {
    static func bytes(_ text: trove_str) -> [UInt8] {
        guard let start = text.ptr, text.len > 0 else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: text.len))
    }

    /// Invalid UTF-8 is repaired.
    static func text(_ text: trove_str, limit: Int = .max) -> String {
        guard let start = text.ptr, text.len > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: min(text.len, limit)), as: UTF8.self)
    }
}
