// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The role of sweeping a home of what processes left that are gone. One process of the host has it; when that one ends, in
/// whatever way, another takes it within a second.
final class KeeperRole: Sendable {
    private struct State {
        var lock: FileLock?
        var isClosed = false
        var task: Task<Void, Never>?
    }

    private let state = Mutex(State())
    private let path: String

    /// How often a process that has not got the role asks for it.
    static let retryInterval: Duration = .seconds(1)
    /// How many of these intervals are between two sweeps.
    static let sweepEvery = 30

    init(_ path: String) { self.path = path }

    var isHeld: Bool { state.withLock { $0.lock != nil } }

    /// Takes the role if it is free. True when this process has it now.
    @discardableResult
    func attempt() -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            if state.lock == nil { state.lock = try? FileLock.attempt(path) }
            return state.lock != nil
        }
    }

    /// From now on asks for the role, and calls `sweep` when it comes and from time to time while it stays.
    func start(_ sweep: @escaping @Sendable () -> Void) {
        // Unstructured: it goes on until `close`.
        let task = Task.detached { [weak self] in
            var ticks = self?.isHeld == true ? 1 : 0
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.retryInterval)
                guard let self, !Task.isCancelled else { return }
                guard self.attempt() else { continue }
                if ticks % Self.sweepEvery == 0 { sweep() }
                ticks += 1
            }
        }
        state.withLock { $0.task = task }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.task?.cancel()
            state.lock?.release()
            state.lock = nil
        }
    }
}
