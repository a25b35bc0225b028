// SPDX-License-Identifier: Apache-2.0

import Model

/// Queues, consumers and deliveries of the local hub, without sockets or clocks.
///
/// Exchanges and queues are named as on the production bus: a message to the exchange `trove` goes to the queue named by its
/// key, `T` or `T.S`; one to the default exchange (empty name) to the reply queue named by its key; one to `T_fanout` to every
/// queue that was declared with it. One to the exchange `notifications` makes the queue of its key.
struct HubState {
    struct Output: Sendable, Hashable {
        var connection: UInt64
        var frame: HubFrame
    }

    private struct Consumer {
        var queue: String
        var messages = 0
        var bytes = 0
    }

    private struct Delivery {
        var consumer: HubConsumerID
        var queue: String
        var message: HubMessage
    }

    private struct Parked {
        var connection: UInt64
        var number: UInt64
        var queue: String
        var message: HubMessage
    }

    let limits: HubLimits
    /// Until when messages for queues that nobody declared are held.
    let settles: ContinuousClock.Instant
    private var queues: [String: HubQueue] = [:]
    private var consumers: [HubConsumerID: Consumer] = [:]
    private var deliveries: [UInt64: Delivery] = [:]
    private var parked: [Parked] = []
    private var lastDelivery: UInt64 = 0
    /// Bytes of everything held.
    private(set) var heldBytes = 0

    init(limits: HubLimits, started: ContinuousClock.Instant) {
        self.limits = limits
        settles = started + limits.settling
    }

    /// When `settle` is due; nil when nothing waits for it.
    var nextDeadline: ContinuousClock.Instant? { parked.isEmpty ? nil : settles }

    /// Messages that wait in a queue; nil when it does not exist.
    func count(_ queue: String) -> Int? { queues[queue]?.count }

    /// Takes one frame of a client.
    mutating func take(_ frame: HubFrame, from connection: UInt64, now: ContinuousClock.Instant) -> [Output] {
        switch frame {
        case .hello(let number, let version, _):
            version == HubFrame.protocolVersion
                ? answer(connection, .confirm(number: number))
                : refuse(connection, number, .invalid, "this hub speaks version \(HubFrame.protocolVersion)")
        case .declare(let number, let queue, let fanout, let isTransient):
            answer(connection, .confirm(number: number))
                + declare(queue, fanout: fanout, owner: isTransient ? connection : nil, now: now)
        case .consume(let number, let tag, let queue):
            consume(connection, number, HubConsumerID(connection: connection, tag: tag), queue, now: now)
        case .cancel(let number, let tag):
            answer(connection, .confirm(number: number))
                + cancel(HubConsumerID(connection: connection, tag: tag), now: now)
        case .publish(let number, let expires, let exchange, let key, let body):
            publish(
                connection, number, exchange, key,
                HubMessage(body: body, expires: expires == 0 ? nil : now + .milliseconds(Int64(expires))), now: now
            )
        case .acknowledge(let number): acknowledge(number, from: connection, now: now)
        case .delete(let number, let queue):
            answer(connection, .confirm(number: number), after: { $0.delete(queue) })
        case .confirm(let number), .refuse(let number, _, _), .deliver(let number, _, _, _, _):
            refuse(connection, number, .invalid, "a client does not send such frames")
        }
    }

    /// Forgets a client: its consumers, its transient queues; what it had not acknowledged goes to the others.
    mutating func disconnect(_ connection: UInt64, now: ContinuousClock.Instant) -> [Output] {
        let gone = parked.filter { $0.connection == connection }
        heldBytes -= gone.reduce(0) { $0 + $1.message.body.count }
        parked.removeAll { $0.connection == connection }
        for name in queues.filter({ $0.value.owner == connection }).keys { delete(name) }
        let ids = consumers.keys.filter { $0.connection == connection }.sorted { $0.tag < $1.tag }
        return ids.flatMap { cancel($0, now: now) }
    }

    /// Refuses what was held for queues that nobody declared, once the time for it is over.
    mutating func settle(now: ContinuousClock.Instant) -> [Output] {
        guard now >= settles else { return [] }
        let late = parked
        parked = []
        heldBytes -= late.reduce(0) { $0 + $1.message.body.count }
        return late.flatMap { noQueue($0.connection, $0.number, $0.queue) }
    }
}

// MARK: - Queues and consumers

extension HubState {
    private mutating func declare(
        _ name: String, fanout: String, owner: UInt64?, now: ContinuousClock.Instant
    ) -> [Output] {
        var queue = queues[name] ?? HubQueue(owner: owner)
        if queue.owner != nil { queue.owner = owner }
        queue.fanout = fanout
        queues[name] = queue
        let waiting = parked.filter { $0.queue == name }
        guard !waiting.isEmpty else { return [] }
        parked.removeAll { $0.queue == name }
        heldBytes -= waiting.reduce(0) { $0 + $1.message.body.count }
        return waiting.flatMap { put($0.connection, $0.number, [name], $0.message, now: now) }
    }

    private mutating func consume(
        _ connection: UInt64, _ number: UInt64, _ id: HubConsumerID, _ name: String, now: ContinuousClock.Instant
    ) -> [Output] {
        guard queues[name] != nil else { return noQueue(connection, number, name) }
        if let known = consumers[id] {
            return known.queue == name
                ? answer(connection, .confirm(number: number))
                : refuse(connection, number, .invalid, "the consumer tag \(id.tag) is in use")
        }
        consumers[id] = Consumer(queue: name)
        queues[name]?.add(id)
        return answer(connection, .confirm(number: number)) + pump(name, now: now)
    }

    private mutating func cancel(_ id: HubConsumerID, now: ContinuousClock.Instant) -> [Output] {
        guard let consumer = consumers.removeValue(forKey: id) else { return [] }
        queues[consumer.queue]?.remove(id)
        let numbers = deliveries.filter { $0.value.consumer == id }.keys.sorted()
        var returned: [HubMessage] = []
        for number in numbers {
            guard var message = deliveries.removeValue(forKey: number)?.message else { continue }
            message.isRedelivered = true
            returned.append(message)
        }
        guard queues[consumer.queue] != nil else {
            heldBytes -= returned.reduce(0) { $0 + $1.body.count }
            return []
        }
        queues[consumer.queue]?.prepend(returned)
        return pump(consumer.queue, now: now)
    }

    private mutating func delete(_ name: String) {
        guard let queue = queues.removeValue(forKey: name) else { return }
        heldBytes -= queue.bytes
        for id in queue.consumers { consumers[id] = nil }
        for (number, delivery) in deliveries where delivery.queue == name {
            heldBytes -= delivery.message.body.count
            deliveries[number] = nil
        }
    }
}

// MARK: - Messages

extension HubState {
    private mutating func publish(
        _ connection: UInt64, _ number: UInt64, _ exchange: String, _ key: String, _ message: HubMessage,
        now: ContinuousClock.Instant
    ) -> [Output] {
        if exchange.hasSuffix(HubName.fanoutSuffix) {
            let names = queues.filter { $0.value.fanout == exchange }.keys.sorted()
            return put(connection, number, names, message, now: now)
        }
        if exchange == HubName.notifications {
            queues[key, default: HubQueue(owner: nil)].isRing = true
            return put(connection, number, [key], message, now: now)
        }
        if queues[key] != nil { return put(connection, number, [key], message, now: now) }
        guard exchange == HubName.exchange, now < settles, heldBytes + message.body.count <= limits.totalBytes else {
            return noQueue(connection, number, key)
        }
        heldBytes += message.body.count
        parked.append(Parked(connection: connection, number: number, queue: key, message: message))
        return []
    }

    /// Puts a message into queues and confirms, or refuses when there is no room in the only one.
    private mutating func put(
        _ connection: UInt64, _ number: UInt64, _ names: [String], _ message: HubMessage, now: ContinuousClock.Instant
    ) -> [Output] {
        var output: [Output] = []
        for name in names {
            guard makeRoom(name, for: message.body.count, now: now) else {
                if names.count > 1 { continue }
                let count = queues[name]?.count ?? 0
                return refuse(
                    connection, number, .full,
                    "the queue \(name) is full (\(count) messages wait, \(heldBytes) bytes are held in all); "
                        + "its server is away or too slow"
                )
            }
            queues[name]?.append(message)
            heldBytes += message.body.count
            output += pump(name, now: now)
        }
        return answer(connection, .confirm(number: number)) + output
    }

    private mutating func makeRoom(_ name: String, for size: Int, now: ContinuousClock.Instant) -> Bool {
        if hasRoom(name, for: size) { return true }
        heldBytes -= queues[name]?.removeExpired(now) ?? 0
        while queues[name]?.isRing == true, !hasRoom(name, for: size), let oldest = queues[name]?.popFirst() {
            heldBytes -= oldest.body.count
        }
        return hasRoom(name, for: size)
    }

    private func hasRoom(_ name: String, for size: Int) -> Bool {
        guard let queue = queues[name] else { return false }
        let messages = queue.isRing ? limits.notificationsPerQueue : limits.messagesPerQueue
        let bytes = queue.isRing ? limits.notificationBytesPerQueue : limits.bytesPerQueue
        return queue.count < messages && queue.bytes + size <= bytes && heldBytes + size <= limits.totalBytes
    }

    private mutating func acknowledge(
        _ number: UInt64, from connection: UInt64, now: ContinuousClock.Instant
    ) -> [Output] {
        guard let delivery = deliveries[number], delivery.consumer.connection == connection else { return [] }
        deliveries[number] = nil
        heldBytes -= delivery.message.body.count
        consumers[delivery.consumer]?.messages -= 1
        consumers[delivery.consumer]?.bytes -= delivery.message.body.count
        return pump(delivery.queue, now: now)
    }

    /// Delivers from a queue to its consumers in turn, as far as they have room.
    private mutating func pump(_ name: String, now: ContinuousClock.Instant) -> [Output] {
        guard var queue = queues.removeValue(forKey: name) else { return [] }
        defer { queues[name] = queue }
        var output: [Output] = []
        while queue.count > 0, let id = queue.nextConsumer({ isReady($0) }), let message = queue.popFirst() {
            let size = message.body.count
            guard !message.isExpired(now) else {
                heldBytes -= size
                continue
            }
            lastDelivery += 1
            deliveries[lastDelivery] = Delivery(consumer: id, queue: name, message: message)
            consumers[id]?.messages += 1
            consumers[id]?.bytes += size
            output.append(
                Output(
                    connection: id.connection,
                    frame: .deliver(
                        number: lastDelivery, tag: id.tag, expires: Self.milliseconds(message.expires, now),
                        isRedelivered: message.isRedelivered, body: message.body
                    )
                )
            )
        }
        return output
    }

    private func isReady(_ id: HubConsumerID) -> Bool {
        guard let consumer = consumers[id] else { return false }
        return consumer.messages < limits.unacknowledgedMessages && consumer.bytes < limits.unacknowledgedBytes
    }

    private static func milliseconds(_ expires: ContinuousClock.Instant?, _ now: ContinuousClock.Instant) -> UInt32 {
        guard let expires else { return 0 }
        return UInt32(clamping: max(1, now.duration(to: expires).microseconds / 1000))
    }
}

// MARK: - Answers

extension HubState {
    private mutating func answer(
        _ connection: UInt64, _ frame: HubFrame, after change: (inout HubState) -> Void = { _ in }
    ) -> [Output] {
        change(&self)
        return [Output(connection: connection, frame: frame)]
    }

    private func refuse(
        _ connection: UInt64, _ number: UInt64, _ reason: HubFrame.Refusal, _ message: String
    ) -> [Output] {
        [Output(connection: connection, frame: .refuse(number: number, reason: reason, message: message))]
    }

    private func noQueue(_ connection: UInt64, _ number: UInt64, _ queue: String) -> [Output] {
        refuse(connection, number, .noQueue, "nobody serves \(queue), and nobody declared its queue")
    }
}
