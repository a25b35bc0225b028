// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Model
import Synchronization

/// The thread that reads: requests and replies.
///
/// It connects once there is something to read. A queue that somebody deletes is declared again.
final class RabbitConsumer {
    /// Replies and requests up to this size are read on the thread itself, which saves a hop.
    static let smallBytes = 32 * 1024
    static let replyTag = "reply"
    /// Events between two looks at what others want.
    static let batch = 256
    /// How long after a refusal a subscription is tried again.
    static let retryPause = Duration.seconds(5)

    /// How long replies that were taken may stay unacknowledged, so that many are told of at once.
    private static let leisure = Duration.milliseconds(5)
    private static let leisureCount = 64

    let bus: RabbitBus
    private let wake: WakeSignal
    private var connector: RabbitConnector
    /// What each consumer tag is for.
    var subscriptions: [String: RabbitState.Subscription] = [:]
    var receivesReplies = false
    var refused: Set<UInt64> = []
    var retry: ContinuousClock.Instant?
    /// Own queues that the broker did not let be consumed, such as a replicated one that was new when the broker was killed: they
    /// are made anew.
    var stuck: Set<String> = []
    /// Replies that were taken and not acknowledged, and since when.
    var taken: [UInt64] = []
    var takenSince = ContinuousClock.now
    /// Where to go on in the streams, by queue.
    var offsets: [String: Int64] = [:]

    init(_ bus: RabbitBus, wake: WakeSignal) {
        self.bus = bus
        self.wake = wake
        connector = RabbitConnector(bus.configuration, name: "\(bus.connectionName):in", logger: bus.logger)
    }

    func run() {
        while !bus.isClosed {
            guard bus.state.withLock({ $0.wantsConsumer }) else {
                refuseErrands()
                wake.wait(for: .seconds(60))
                continue
            }
            do throws(RabbitFailure) {
                let connection = try connector.connect()
                bus.register(connection.descriptor)
                defer { bus.unregister(connection.descriptor) }
                try serve(connection)
                connection.close()
            } catch {
                connector.failed(error)
                bus.state.withLock { $0.readFailure = error.description }
            }
            bus.state.withLock { $0.isConsumerUp = false }
            refuseErrands()
            wake.pause(connector.pause()) { bus.isClosed }
        }
        refuseErrands()
    }

    /// Nothing is taken without a connection.
    private func refuseErrands() {
        let stops = bus.state.withLock { state in
            defer { state.errands = [] }
            return state.errands
        }
        for case .stop(let latch) in stops { latch.open() }
    }

    private func serve(_ connection: RabbitConnection) throws(RabbitFailure) {
        let inbox = RabbitInbox(connection, wake: wake)
        defer { inbox.close() }
        (subscriptions, receivesReplies, refused, retry, taken) = ([:], false, [], nil, [])
        let (wanted, wantsReplies, isOpen) = bus.state.withLock { state in
            state.errands.removeAll { if case .stop = $0 { false } else { true } }
            return (state.subscriptions, state.wantsReplies, state.phase == .open)
        }
        if wantsReplies { try receiveReplies(connection) }
        if isOpen {
            for subscription in wanted { try subscribe(subscription, connection) }
        }
        connector.succeeded()
        bus.state.withLock { state in
            state.isConsumerUp = true
            state.readFailure = nil
        }
        while !bus.isClosed {
            let isDrained = try drain(connection, inbox)
            try inbox.flush()
            var hasAsked = try runErrands(connection)
            if try retryRefused(connection) { hasAsked = true }
            try inbox.flush()
            try acknowledgeReplies(connection)
            // What came before an answer is in memory, where poll(2) does not see it.
            if isDrained, !hasAsked, !bus.isClosed { wait(connection) }
        }
    }

    private func acknowledgeReplies(_ connection: RabbitConnection) throws(RabbitFailure) {
        guard !taken.isEmpty, taken.count >= Self.leisureCount || takenSince.duration(to: .now) >= Self.leisure else {
            return
        }
        let tags = taken
        taken = []
        try connection.together { () throws(RabbitFailure) in
            for tag in tags { try connection.acknowledge(tag) }
        }
    }

    private func wait(_ connection: RabbitConnection) {
        var limit = Duration.seconds(connection.heartbeatSeconds == 0 ? 60 : max(1, connection.heartbeatSeconds / 3))
        if let retry { limit = min(limit, ContinuousClock.now.duration(to: retry)) }
        if !taken.isEmpty { limit = min(limit, Self.leisure) }
        wake.wait(for: limit, input: connection.descriptor)
    }
}
