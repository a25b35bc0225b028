// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Logging
import Model
import Synchronization

/// One operation in flight: what the plugin has said about it, and who waits for it.
final class PluginCall: Sendable {
    typealias Outcome = Result<[UInt8], PluginError>

    enum StopReason: Sendable { case cancelled, timedOut }

    struct State {
        enum Phase { case waiting, running, pending, over }
        var phase = Phase.waiting
        var answer: (@Sendable (Outcome) -> Void)?
        var isAbandoned = false
        /// Closes the lane of a call that does not end.
        var whenAbandoned: (@Sendable () -> Void)?
        /// Wake services that wait for something on behalf of the call, by number.
        var whenStopped: [Int: @Sendable () -> Void] = [:]
        var nextWatch = 0
        /// When the plugin began to run.
        var began: ContinuousClock.Instant?
        /// Ends a pending call; set while the plugin has it.
        var finish: (@Sendable (Int32) -> Void)?
        /// Whether the function itself runs, and whether it was given up while it did.
        var holdsThread = false
        var lostThread = false
        var output: [UInt8] = []
        var failure: PluginError?
        var stop: StopReason?
        /// An eventfd, made when it is first asked for; -1 before.
        var cancelFD: Int32 = -1
        var completion: Int32?
        var timers: [Int] = []
        var lastProgress: ContinuousClock.Instant?
        var cleanups: [@Sendable () -> Void] = []
    }

    let host: HostContext
    /// For logs and messages, e.g. `datastore.prepare`.
    let function: String
    let options: CallOptions
    /// Serves `trove.control/1`; nil outside of routes.
    let control: (any ControlBridge)?
    let state = Mutex(State())

    init(host: HostContext, function: String, options: CallOptions, control: (any ControlBridge)? = nil) {
        self.host = host
        self.function = function
        self.options = options
        self.control = control
    }

    // MARK: What the caller does

    /// Says who waits. Answers at once if the call was stopped before it started.
    func expect(
        whenAbandoned: @escaping @Sendable () -> Void, _ answer: @escaping @Sendable (Outcome) -> Void
    ) {
        state.withLock { state in
            state.answer = answer
            state.whenAbandoned = whenAbandoned
        }
        let timer = Watchdog.shared.schedule(at: options.deadline.instant) { [weak self] in self?.stop(.timedOut) }
        let stopped: StopReason? = state.withLock { state in
            state.timers.append(timer)
            return state.stop
        }
        if let stopped { deliver(.failure(error(for: stopped))) }
    }

    /// Asks the plugin to stop; a call that has not started is answered at once.
    func stop(_ reason: StopReason) {
        let (isWaiting, whenStopped) = state.withLock { state in
            guard state.stop == nil, state.phase != .over else { return (Bool?.none, [@Sendable () -> Void]()) }
            state.stop = reason
            Self.signal(state.cancelFD)
            return (state.phase == .waiting, Array(state.whenStopped.values))
        }
        guard let isWaiting else { return }
        for wake in whenStopped { wake() }
        if isWaiting {
            deliver(.failure(error(for: reason)))
            return
        }
        let timer = Watchdog.shared.schedule(at: .now + host.cancellationGrace) { [weak self] in self?.abandon() }
        let isOver = state.withLock { state in
            state.timers.append(timer)
            return state.phase == .over
        }
        if isOver { Watchdog.shared.cancel(timer) }
    }

    /// Answers a call that never starts.
    func refuse(_ code: PluginError.Code, _ message: String) {
        deliver(.failure(PluginError(code, pluginID: host.id, "\(function): \(message)")))
    }

    // MARK: What the worker does

    /// Whether somebody still waits for it; from now on the plugin runs.
    func begin(_ finish: @escaping @Sendable (Int32) -> Void) -> Bool {
        state.withLock { state in
            guard state.answer != nil else { return false }
            state.phase = .running
            state.began = .now
            state.holdsThread = true
            state.finish = finish
            return true
        }
    }

    /// The function has returned.
    ///
    /// - Returns: The status to end with now; nil when `complete` brings it later.
    func returned(_ status: Int32) -> Int32? {
        let (final, wasLost, wasCompleted) = state.withLock { state in
            state.holdsThread = false
            guard status == Int32(TROVE_PENDING) else {
                return (Int32?.some(status), state.lostThread, state.completion != nil)
            }
            state.phase = .pending
            return (state.completion, state.lostThread, false)
        }
        if wasLost { WorkerPool.shared.recover() }
        if wasCompleted {
            host.misbehaved("plugin completed a call that was not pending", ["plugin.function": "\(function)"])
        }
        return final
    }

    /// From now on the plugin has nothing to do with it.
    ///
    /// - Returns: Whether nobody waits any more.
    func close() -> Bool {
        state.withLock { state in
            state.phase = .over
            state.finish = nil
            return state.isAbandoned
        }
    }

    /// Answers who waits, after `close`.
    func end(_ status: Int32) {
        let outcome = state.withLock { state in
            if state.cancelFD >= 0 { Glibc.close(state.cancelFD) }
            state.cancelFD = -1
            defer { state.output = [] }
            return self.outcome(status, state)
        }
        let cleanups = state.withLock { state in
            defer { state.cleanups = [] }
            return state.cleanups
        }
        // The last first: what reads the call's memory was added after what frees it.
        for cleanup in cleanups.reversed() { cleanup() }
        record(outcome)
        deliver(outcome)
    }

    private func record(_ outcome: Outcome) {
        guard let began = state.withLock({ $0.began }) else { return }
        var code: PluginError.Code?
        if case .failure(let error) = outcome { code = error.code }
        host.recorder.ended(function, after: began.duration(to: .now), code: code)
    }

    /// Runs when the call is asked to stop; at once when it has been. Return at once.
    ///
    /// - Returns: A handle for `forget`.
    func onStop(_ wake: @escaping @Sendable () -> Void) -> Int {
        let (watch, isStopped) = state.withLock { state in
            state.nextWatch += 1
            state.whenStopped[state.nextWatch] = wake
            return (state.nextWatch, state.stop != nil)
        }
        if isStopped { wake() }
        return watch
    }

    func forget(_ watch: Int) { state.withLock { $0.whenStopped[watch] = nil } }

    /// Memory with a copy of some bytes that the plugin may read until the call ends.
    func borrow(_ bytes: [UInt8]) -> trove_str {
        guard !bytes.isEmpty else { return trove_str() }
        let memory = scratch(bytes.count)
        memory.copyMemory(from: bytes, byteCount: bytes.count)
        return trove_str(ptr: UnsafePointer(memory.assumingMemoryBound(to: CChar.self)), len: bytes.count)
    }

    /// Zeroed memory until the call ends.
    func scratch(_ count: Int) -> UnsafeMutableRawPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        let box = ScratchMemory(memory)
        atEnd { box.free() }
        return memory
    }

    /// Runs when the plugin is done, before the caller is answered.
    func atEnd(_ cleanup: @escaping @Sendable () -> Void) { state.withLock { $0.cleanups.append(cleanup) } }

    // MARK: How it ends

    private func deliver(_ outcome: Outcome) {
        let (answer, timers) = state.withLock { state in
            defer {
                state.answer = nil
                state.whenAbandoned = nil
                state.timers = []
            }
            return (state.answer, state.timers)
        }
        for timer in timers { Watchdog.shared.cancel(timer) }
        answer?(outcome)
    }

    private func abandon() {
        let (gaveUp, losesThread, whenAbandoned) = state.withLock { state in
            guard state.answer != nil, state.phase == .running || state.phase == .pending else {
                return (false, false, (@Sendable () -> Void)?.none)
            }
            state.isAbandoned = true
            state.lostThread = state.holdsThread
            return (true, state.holdsThread, state.whenAbandoned)
        }
        guard gaveUp else { return }
        if losesThread { WorkerPool.shared.lose() }
        host.lost(self)
        whenAbandoned?()
        deliver(.failure(PluginError(.timedOut, pluginID: host.id, "\(function) does not stop when it is asked to")))
    }

    private func error(for reason: StopReason) -> PluginError {
        switch reason {
        case .cancelled: PluginError(.cancelled, pluginID: host.id, "\(function) was cancelled")
        case .timedOut: PluginError(.timedOut, pluginID: host.id, "\(function) did not end before its deadline")
        }
    }

    private func outcome(_ status: Int32, _ state: borrowing State) -> Outcome {
        if status == Int32(TROVE_OK) { return .success(state.output) }
        guard let code = PluginError.Code(status: status) else {
            host.misbehaved(
                "plugin returned a status that this host does not know",
                ["status": "\(status)", "plugin.function": "\(function)"])
            return .failure(PluginError(.internal, pluginID: host.id, "\(function) returned unknown status \(status)"))
        }
        if code == .cancelled || code == .timedOut, let stop = state.stop { return .failure(error(for: stop)) }
        guard var failure = state.failure else {
            return .failure(PluginError(code, pluginID: host.id, "\(function) failed without a message"))
        }
        failure.code = code
        return .failure(failure)
    }

    static func signal(_ fd: Int32) {
        guard fd >= 0 else { return }
        var one: UInt64 = 1
        _ = write(fd, &one, 8)
    }
}

/// Unchecked: freed once, by the end of the call that owns it.
private struct ScratchMemory: @unchecked Sendable {
    private let memory: UnsafeMutableRawPointer
    init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }
    func free() { memory.deallocate() }
}
