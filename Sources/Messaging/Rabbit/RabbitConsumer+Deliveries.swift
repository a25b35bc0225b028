// SPDX-License-Identifier: Apache-2.0

import Logging
import Model

extension RabbitConsumer {
    /// Takes what is there, up to a batch; returns whether that was all.
    func drain(_ connection: RabbitConnection, _ inbox: RabbitInbox) throws(RabbitFailure) -> Bool {
        for _ in 0..<Self.batch {
            guard let event = try connection.next() else { return true }
            switch event {
            case .delivery(let delivery): try take(delivery, connection, inbox)
            case .cancelled(let tag): try restore(tag, connection)
            case .returned, .confirmed, .blocked, .unblocked: break
            }
        }
        return false
    }

    private func take(
        _ delivery: RabbitDelivery, _ connection: RabbitConnection, _ inbox: RabbitInbox
    ) throws(RabbitFailure) {
        let subscription = subscriptions[delivery.consumer]
        let queue = subscription?.topic ?? bus.replyQueue
        if let reason = fault(delivery) {
            bus.logger.warning(
                "message dropped", metadata: ["queue.name": "\(queue)", "error.message": "\(reason)"])
            return try connection.reject(delivery.tag, requeue: false)
        }
        guard let subscription else {
            if taken.isEmpty { takenSince = .now }
            taken.append(delivery.tag)
            return takeReply(delivery.body)
        }
        if let offset = delivery.streamOffset { offsets[bus.topology.fanoutExchange(queue)] = offset + 1 }
        let deadline = delivery.expiration.map { Deadline.after(.milliseconds($0)) }
        takeRequest(delivery, subscription, deadline, inbox)
    }

    /// What is wrong with a message's form.
    private func fault(_ delivery: RabbitDelivery) -> String? {
        guard delivery.contentType == "application/json" else {
            return "its content type is \(delivery.contentType.map { "'\($0)'" } ?? "missing"), not application/json"
        }
        return delivery.isCompressed ? "it is compressed, which is not supported" : nil
    }

    private func takeRequest(
        _ delivery: RabbitDelivery, _ subscription: RabbitState.Subscription, _ deadline: Deadline?,
        _ inbox: RabbitInbox
    ) {
        let (runner, pool, tag, body) = (subscription.runner, subscription.pool, delivery.tag, delivery.body)
        @Sendable func hand(_ incoming: RequestRunner.Incoming?) {
            guard let incoming else { return inbox.drop(tag) }
            pool.take(
                HandlerPool.Delivery(number: tag, source: inbox, deadline: deadline, content: .request(incoming)))
        }
        if runner.keyring == nil, body.count <= Self.smallBytes {
            hand(runner.readPlain(body))
        } else {
            Task { hand(await runner.read(body)) }
        }
    }

    private func takeReply(_ body: [UInt8]) {
        if body.count <= Self.smallBytes {
            bus.takeReply(body)
        } else {
            let bus = bus
            Task { bus.takeReply(body) }
        }
    }
}
