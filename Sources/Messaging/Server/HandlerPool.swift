// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization

/// Where a delivery came from.
protocol DeliverySource: AnyObject, Sendable {
    /// Takes a delivery off the bus; calls `then` with false when that cannot be said any more, and somebody else gets it.
    func acknowledge(_ number: UInt64, then: @escaping @Sendable (Bool) -> Void)

    /// Gives back a delivery that was not acknowledged, for somebody else.
    func giveBack(_ number: UInt64)
}

/// Runs the handlers of one server, so many at once.
///
/// A delivery is acknowledged right before its handler starts: what waits here is still the bus', and goes to another server
/// when this one dies; what has started is never repeated.
final class HandlerPool: Sendable {
    struct Delivery: Sendable {
        var number: UInt64
        var source: any DeliverySource
        var deadline: Deadline?
        var content: Content

        enum Content: Sendable {
            /// Read when its turn comes.
            case body([UInt8])
            case request(RequestRunner.Incoming)
        }
    }

    private struct State {
        var isClosed = false
        var lastID: UInt64 = 0
        var running: [UInt64: Task<Void, Never>?] = [:]
        var backlog: [Delivery] = []
        var idleWaiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]

        /// Takes a place among the running.
        mutating func reserve() -> UInt64 {
            lastID += 1
            running[lastID] = .some(nil)
            return lastID
        }
    }

    private let limit: Int
    private let perform: @Sendable (Delivery) async -> Void
    private let state = Mutex(State())

    init(limit: Int, perform: @escaping @Sendable (Delivery) async -> Void) {
        self.limit = limit
        self.perform = perform
    }

    /// Runs a delivery now, or once there is room.
    func take(_ delivery: Delivery) {
        let (id, isClosed) = state.withLock { state -> (UInt64?, Bool) in
            if state.isClosed { return (nil, true) }
            guard state.running.count < limit else {
                state.backlog.append(delivery)
                return (nil, false)
            }
            return (state.reserve(), false)
        }
        if isClosed { delivery.source.giveBack(delivery.number) }
        if let id { start(id, delivery) }
    }

    private func start(_ id: UInt64, _ delivery: Delivery) {
        delivery.source.acknowledge(delivery.number) { [self] isTaken in
            // An acknowledgement that cannot be written means that the bus gives the message to somebody else.
            guard isTaken else { return finish(id) }
            let task = Task {
                await perform(delivery)
                finish(id)
            }
            state.withLock { state in
                if state.running.keys.contains(id) { state.running[id] = .some(task) }
            }
        }
    }

    private func finish(_ id: UInt64) {
        var next: (id: UInt64, delivery: Delivery)?
        let waiters = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
            state.running.removeValue(forKey: id)
            if !state.isClosed, !state.backlog.isEmpty {
                next = (state.reserve(), state.backlog.removeFirst())
            }
            guard state.running.isEmpty else { return [] }
            defer { state.idleWaiters = [:] }
            return Array(state.idleWaiters.values)
        }
        for waiter in waiters { waiter.resume(returning: true) }
        if let next { start(next.id, next.delivery) }
    }

    /// Starts nothing any more; what waits goes back to the bus.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.backlog = [] }
            return state.backlog
        }
        for delivery in waiting { delivery.source.giveBack(delivery.number) }
    }

    /// Waits for running handlers, cancels them after `limit`, and gives up on them a second later.
    func drain(_ limit: Duration) async {
        if await becomesIdle(within: limit) { return }
        let tasks = state.withLock { $0.running.values.compactMap { $0 } }
        for task in tasks { task.cancel() }
        _ = await becomesIdle(within: .seconds(1))
    }

    private func becomesIdle(within limit: Duration) async -> Bool {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let timer = Task {
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            state.withLock { $0.idleWaiters.removeValue(forKey: id) }?.resume(returning: false)
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.running.isEmpty { return true }
                state.idleWaiters[id] = continuation
                return false
            }
            if isIdle { continuation.resume(returning: true) }
        }
    }
}
