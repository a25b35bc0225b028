// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Model
import Synchronization

/// What is written: requests, replies, notifications, and what the broker is to make for them.
///
/// Each message is confirmed by the broker. What is not confirmed when a connection ends is written again on the next one, as it
/// is; receivers know it by its unique id. A thread connects, reads and does all that may take time; a small message is written
/// by whoever sends it while the socket has room, which saves a hop.
/// Unchecked: what `run` does not keep to itself is behind `lock`.
final class RabbitPublisher: @unchecked Sendable {
    /// How long after a connection was made messages that no queue takes are tried again: their servers come back too.
    private static let firstSettling = Duration.seconds(2)
    private static let settling = Duration.seconds(5)
    static let retryPause = Duration.milliseconds(250)
    private static let batch = 128
    /// What is written by a sender itself.
    private static let smallBatch = 8
    private static let smallBytes = 16 * 1024
    /// How often the broker may close the channel over one message.
    static let refusals = 2
    /// How long confirmations that nobody waits for may lie there.
    private static let leisure = Duration.milliseconds(5)

    /// What the thread does next.
    private enum Pause {
        case none
        /// Nobody waits for the broker's answers: only what is to be written matters.
        case rest
        case watch(Duration)
    }

    let bus: RabbitBus
    private var connector: RabbitConnector
    private var hadConnection = false

    private let lock = Mutex<Void>(())
    /// The connection, once it is ready for messages.
    private var current: RabbitConnection?
    private var isResting = false
    /// Whether something was written or confirmed since the thread rested.
    var isActive = false
    var settles = ContinuousClock.now
    /// Numbers of what was written and not confirmed, by delivery tag.
    var inFlight: [UInt64: UInt64] = [:]
    /// Those of them that somebody waits for.
    var awaited: Set<UInt64> = []
    var lowestTag: UInt64 = 1
    var nextTag: UInt64 = 1
    var returned: Set<UInt64> = []
    var delayed: [(due: ContinuousClock.Instant, number: UInt64)] = []
    var prepared: Set<RabbitStep> = []
    var isBlocked = false
    /// Whether one message goes at a time, to learn which one the broker closes the channel over.
    private var isCareful = false

    init(_ bus: RabbitBus) {
        self.bus = bus
        connector = RabbitConnector(bus.configuration, name: "\(bus.connectionName):out", logger: bus.logger)
    }

    func run() {
        while !bus.isClosed {
            do throws(RabbitFailure) {
                let connection = try connector.connect()
                bus.register(connection.descriptor)
                defer { bus.unregister(connection.descriptor) }
                try serve(connection)
                connection.close()
            } catch {
                lose(error)
            }
            bus.publisherWake?.pause(connector.pause(), unless: { bus.isClosed })
        }
    }

    private func serve(_ connection: RabbitConnection) throws(RabbitFailure) {
        try connection.selectConfirms()
        for step in bus.topology.controlExchange { try connection.perform(step) }
        try declareOthers(connection)
        connector.succeeded()
        lock.withLock { _ in
            settles = .now + (hadConnection ? Self.settling : Self.firstSettling)
            current = connection
            bus.state.withLock { $0.attach() }
        }
        hadConnection = true
        defer { lock.withLock { _ in current = nil } }
        while !bus.isClosed {
            let pause = try lock.withLock { _ throws(RabbitFailure) in try turn(connection) }
            wait(pause, connection)
        }
    }

    /// Reads what is there and writes what is ready.
    private func turn(_ connection: RabbitConnection) throws(RabbitFailure) -> Pause {
        isResting = false
        try drain(connection)
        releaseDelayed()
        let items = isBlocked ? [] : bus.state.withLock { $0.takeReady(room) }
        guard items.isEmpty else {
            try write(items, connection)
            return .none
        }
        if isCareful, inFlight.isEmpty, !isBlocked { isCareful = false }
        if isActive, awaited.isEmpty, !isCareful {
            (isActive, isResting) = (false, true)
            return .rest
        }
        let limit = Duration.seconds(connection.heartbeatSeconds == 0 ? 60 : max(1, connection.heartbeatSeconds / 3))
        guard let due = delayed.map(\.due).min() else { return .watch(limit) }
        return .watch(min(limit, ContinuousClock.now.duration(to: due)))
    }

    private func wait(_ pause: Pause, _ connection: RabbitConnection) {
        switch pause {
        case .none: break
        case .rest: bus.publisherWake?.wait(for: Self.leisure)
        case .watch(let limit): bus.publisherWake?.wait(for: limit, input: connection.descriptor)
        }
    }

    private var room: Int { isCareful ? (inFlight.isEmpty ? 1 : 0) : Self.batch }

    /// Queues that this bus was asked to keep for others.
    private func declareOthers(_ connection: RabbitConnection) throws(RabbitFailure) {
        for names in bus.state.withLock({ $0.declared }) {
            do throws(RabbitFailure) {
                for step in bus.topology.requestQueues(names[0], names[1]) { try connection.perform(step) }
            } catch {
                guard error.reach == .request else { throw error }
                bus.logger.error("queue of another is not declared", metadata: ["error.message": "\(error)"])
            }
        }
    }

    /// Ends a connection; the message that the broker closed its channel over is given up when that happens again.
    private func lose(_ failure: RabbitFailure) {
        connector.failed(failure)
        lock.withLock { _ in
            if failure.isAboutMessage, inFlight.count == 1, let number = inFlight.values.first {
                let count = bus.state.withLock { $0.refuse(number) }
                if count >= Self.refusals {
                    resolve(number, .failure(MessagingError(.unavailable, failure.description)))
                }
            }
            isCareful = failure.isAboutMessage && !inFlight.isEmpty
            (inFlight, lowestTag, nextTag) = ([:], 1, 1)
            (returned, delayed, prepared, awaited) = ([], [], [], [])
            (isBlocked, isResting, isActive) = (false, false, false)
            bus.state.withLock { $0.detach(failure.description) }
        }
    }

    func resolve(_ number: UInt64, _ result: Result<Void, MessagingError>) {
        bus.state.withLock { $0.resolve(number, result) }?.resume()
    }
}

// MARK: - Writing

extension RabbitPublisher {
    /// Writes what is ready when that is little and cannot block; returns whether nothing is left to the thread.
    func writeNow() -> Bool {
        let isDone = lock.withLockIfAvailable { _ -> Bool in
            guard let current, !isBlocked, !isCareful, current.hasRoom else { return false }
            let items = bus.state.withLock { $0.takeReady(Self.smallBatch) }
            guard items.allSatisfy({ isSmall($0.item) }) else {
                bus.state.withLock { state in
                    for (number, _) in items { state.again(number) }
                }
                return false
            }
            do throws(RabbitFailure) {
                if !items.isEmpty { try write(items, current) }
            } catch {
                // The thread, which reads, learns it and begins anew.
                current.breakOff()
            }
            return items.count < Self.smallBatch && !(isResting && !awaited.isEmpty)
        }
        return isDone ?? false
    }

    private func isSmall(_ item: RabbitState.Item) -> Bool {
        guard let message = item.message else { return false }
        return message.body.count <= Self.smallBytes && !needsPreparation(item)
    }

    private func write(
        _ items: [(number: UInt64, item: RabbitState.Item)], _ connection: RabbitConnection
    ) throws(RabbitFailure) {
        let plain = items.filter { !needsPreparation($0.item) }
        if plain.count == 1 {
            try write(plain[0].number, plain[0].item, connection)
        } else if plain.count > 1 {
            try connection.together { () throws(RabbitFailure) in
                for (number, item) in plain { try write(number, item, connection) }
            }
        }
        // These wait for answers, so nothing may be held back then.
        for (number, item) in items where needsPreparation(item) { try write(number, item, connection) }
    }

    private func needsPreparation(_ item: RabbitState.Item) -> Bool {
        !item.steps.isEmpty && (item.isPreparedAnew || !prepared.isSuperset(of: item.steps))
    }

    private func write(
        _ number: UInt64, _ item: RabbitState.Item, _ connection: RabbitConnection
    ) throws(RabbitFailure) {
        if needsPreparation(item) {
            do throws(RabbitFailure) {
                for step in item.steps { try connection.perform(step) }
            } catch {
                guard error.reach == .request else { throw error }
                return resolve(number, .failure(MessagingError(.unavailable, error.description)))
            }
            if !item.isPreparedAnew { prepared.formUnion(item.steps) }
        }
        guard let message = item.message else { return resolve(number, .success(())) }
        let left = max(1, ContinuousClock.now.duration(to: item.deadline).microseconds / 1000)
        inFlight[nextTag] = number
        nextTag += 1
        isActive = true
        if case .waiter = item.completion { awaited.insert(number) }
        try connection.publish(
            exchange: message.exchange, key: message.key, isMandatory: message.isMandatory,
            expiration: message.expires ? left : nil, body: message.body)
    }

    private func releaseDelayed() {
        guard !delayed.isEmpty else { return }
        let now = ContinuousClock.now
        let due = delayed.filter { $0.due <= now }
        guard !due.isEmpty else { return }
        delayed.removeAll { $0.due <= now }
        bus.state.withLock { state in
            for (_, number) in due { state.again(number) }
        }
    }
}
