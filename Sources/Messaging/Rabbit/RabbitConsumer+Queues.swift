// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

extension RabbitConsumer {
    /// Returns whether there were any.
    func runErrands(_ connection: RabbitConnection) throws(RabbitFailure) -> Bool {
        let errands = bus.state.withLock { state in
            defer { state.errands = [] }
            return state.errands
        }
        for errand in errands {
            switch errand {
            case .receiveReplies: try receiveReplies(connection)
            case .subscribe(let id):
                let found = bus.state.withLock { state in state.subscriptions.first { $0.id == id } }
                if let found { try subscribe(found, connection) }
            case .unsubscribe(let subscription): try unsubscribe(subscription.id, connection)
            case .stop(let latch):
                defer { latch.open() }
                try stop(connection)
            }
        }
        return !errands.isEmpty
    }

    func receiveReplies(_ connection: RabbitConnection) throws(RabbitFailure) {
        guard !receivesReplies else { return }
        try removeStuck(bus.replyQueue, connection)
        for step in bus.topology.replySteps(bus.replyQueue) { try connection.perform(step) }
        // Replies are never held back: their number is that of the calls.
        try connection.limitUnacknowledged(0)
        try consume(bus.replyQueue, tag: Self.replyTag, offset: nil, connection)
        receivesReplies = true
        if bus.state.withLock({ $0.beginReplies() }) { bus.publisherWake?.raise() }
    }

    private func queues(_ subscription: RabbitState.Subscription) -> [String] {
        let topic = subscription.topic
        return [
            topic, bus.topology.serverQueue(topic, subscription.server),
            bus.topology.fanoutQueue(topic, subscription.unique),
        ]
    }

    private func tag(_ id: UInt64, _ index: Int) -> String { "\(id).\(index)" }

    /// Declares a server's three queues, then consumes them: no consumer before all exist.
    func subscribe(
        _ subscription: RabbitState.Subscription, _ connection: RabbitConnection
    ) throws(RabbitFailure) {
        guard subscriptions[tag(subscription.id, 0)] == nil else {
            bus.served(subscription, .success(()))
            return
        }
        do throws(RabbitFailure) {
            try declare(subscription, connection)
        } catch {
            guard error.reach == .request else { throw error }
            return refuse(subscription, error)
        }
        try connection.limitUnacknowledged(bus.options.prefetch)
        for (index, queue) in queues(subscription).enumerated() {
            let tag = tag(subscription.id, index)
            try consume(queue, tag: tag, index: index, connection)
            subscriptions[tag] = subscription
        }
        refused.remove(subscription.id)
        bus.served(subscription, .success(()))
    }

    private func declare(
        _ subscription: RabbitState.Subscription, _ connection: RabbitConnection
    ) throws(RabbitFailure) {
        let topology = bus.topology
        try removeStuck(topology.fanoutQueue(subscription.topic, subscription.unique), connection)
        let steps =
            topology.requestQueues(subscription.topic, subscription.server)
            + topology.fanoutSteps(subscription.topic, subscription.unique)
        for attempt in 1...Self.declarations {
            do throws(RabbitFailure) {
                for step in steps { try connection.perform(step) }
                return
            } catch {
                // The fanout exchange goes with the last queue of it: another server may have ended since it was declared.
                guard error.code == 404, attempt < Self.declarations else { throw error }
            }
        }
    }

    private static let declarations = 5

    private func consume(
        _ queue: String, tag: String, index: Int, _ connection: RabbitConnection
    ) throws(RabbitFailure) {
        let isStream = index == 2 && bus.configuration.isStreamFanout
        try consume(queue, tag: tag, offset: isStream ? offsets[queue] ?? -1 : nil, connection)
    }

    private func consume(
        _ queue: String, tag: String, offset: Int64?, _ connection: RabbitConnection
    ) throws(RabbitFailure) {
        do throws(RabbitFailure) {
            try connection.consume(queue, tag: tag, offset: offset)
        } catch {
            if error.isTimeout { stuck.insert(queue) }
            throw error
        }
    }

    /// Removes a queue of this process alone that could not be consumed.
    private func removeStuck(_ queue: String, _ connection: RabbitConnection) throws(RabbitFailure) {
        guard stuck.remove(queue) != nil, !bus.configuration.isStreamFanout || queue == bus.replyQueue else { return }
        bus.logger.warning("queue is made anew", metadata: ["queue.name": "\(queue)"])
        do throws(RabbitFailure) {
            try connection.perform(.deleteQueue(queue))
        } catch {
            guard error.reach == .request else { throw error }
        }
    }

    /// Whoever waits for it learns it and the subscription ends; otherwise it is tried again.
    private func refuse(_ subscription: RabbitState.Subscription, _ failure: RabbitFailure) {
        bus.logger.error(
            "topic is not served",
            metadata: ["queue.name": "\(subscription.topic)", "error.message": "\(failure)"])
        if bus.served(subscription, .failure(MessagingError(.unavailable, failure.description))) { return }
        refused.insert(subscription.id)
        retry = .now + Self.retryPause
    }

    /// Returns whether it was time for it.
    func retryRefused(_ connection: RabbitConnection) throws(RabbitFailure) -> Bool {
        guard let retry, retry <= .now else { return false }
        self.retry = nil
        for subscription in bus.state.withLock({ $0.subscriptions }) where refused.contains(subscription.id) {
            try subscribe(subscription, connection)
        }
        return true
    }

    private func unsubscribe(_ id: UInt64, _ connection: RabbitConnection) throws(RabbitFailure) {
        refused.remove(id)
        for index in 0..<3 {
            let tag = tag(id, index)
            guard subscriptions.removeValue(forKey: tag) != nil else { continue }
            try connection.cancel(tag: tag)
        }
    }

    /// Ends the servers: what they have not begun goes to others, and their fanout queues go.
    private func stop(_ connection: RabbitConnection) throws(RabbitFailure) {
        let servers = subscriptions.values.filter { subscriptions[tag($0.id, 0)] != nil }
        for tag in subscriptions.keys.sorted() { try connection.cancel(tag: tag) }
        for server in servers { server.pool.close() }
        guard !bus.configuration.isStreamFanout else { return }
        for name in Set(servers.map { bus.topology.fanoutQueue($0.topic, $0.unique) }).sorted() {
            do throws(RabbitFailure) {
                try connection.perform(.deleteQueue(name))
            } catch {
                guard error.reach == .request else { throw error }
                bus.logger.info("fanout queue stays", metadata: ["error.message": "\(error)"])
            }
        }
    }

    /// Declares and consumes again what somebody deleted.
    func restore(_ tag: String, _ connection: RabbitConnection) throws(RabbitFailure) {
        if tag == Self.replyTag {
            bus.logger.warning("reply queue was deleted", metadata: ["queue.name": "\(bus.replyQueue)"])
            receivesReplies = false
            return try receiveReplies(connection)
        }
        guard let subscription = subscriptions[tag],
            let index = (0..<3).first(where: { self.tag(subscription.id, $0) == tag })
        else { return }
        let queue = queues(subscription)[index]
        bus.logger.warning("queue was deleted", metadata: ["queue.name": "\(queue)"])
        try declare(subscription, connection)
        try connection.limitUnacknowledged(bus.options.prefetch)
        try consume(queue, tag: tag, index: index, connection)
    }
}
