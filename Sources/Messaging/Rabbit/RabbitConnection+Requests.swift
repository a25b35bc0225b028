// SPDX-License-Identifier: Apache-2.0

import CRabbitMQ

extension RabbitConnection {
    /// Makes the broker confirm each message that is published from now on.
    func selectConfirms() throws(RabbitFailure) {
        amqp_confirm_select(state, 1)
        try check("messages cannot be confirmed", reach: .connection)
    }

    /// Limits what consumers that begin from now on may leave unacknowledged, each; 0 for no limit.
    func limitUnacknowledged(_ count: Int) throws(RabbitFailure) {
        amqp_basic_qos(state, 1, 0, UInt16(clamping: count), 0)
        try check("deliveries cannot be limited", reach: .connection)
    }

    /// Takes a queue's messages from now on.
    ///
    /// - Parameter offset: Where to begin in a stream, -1 for its last chunk; nil for other queues.
    func consume(_ queue: String, tag: String, offset: Int64?) throws(RabbitFailure) {
        trove_amqp_consume(state, queue, tag, offset ?? -2)
        try check("the queue '\(queue)' cannot be consumed", reach: .connection)
    }

    /// Ends a consumer; what it has not acknowledged stays its own.
    func cancel(tag: String) throws(RabbitFailure) {
        amqp_basic_cancel(state, 1, trove_amqp_text(tag))
        try check("a consumer cannot be ended", reach: .connection)
    }

    /// Has something made or removed.
    ///
    /// - Throws: With the reach `request` when the broker refuses.
    func perform(_ step: RabbitStep) throws(RabbitFailure) {
        if !isRequestChannelOpen {
            amqp_channel_open(state, Self.requestChannel)
            try check(step.description, reach: .connection)
            isRequestChannelOpen = true
        }
        send(step)
        do throws(RabbitFailure) {
            try check(step.description, reach: .request)
        } catch {
            guard error.reach == .request else { throw error }
            isRequestChannelOpen = false
            var confirmation = amqp_channel_close_ok_t()
            amqp_send_method(state, Self.requestChannel, TROVE_AMQP_CHANNEL_CLOSE_OK, &confirmation)
            var failure = error
            if failure.code == 406 { failure.description += step.advice }
            throw failure
        }
    }

    private func send(_ step: RabbitStep) {
        let channel = Self.requestChannel
        switch step {
        case .exchange(let name, let type, let isDurable, let isAutoDelete, _):
            name.withCString { name in
                type.withCString { type in
                    _ = amqp_exchange_declare(
                        state, channel, trove_amqp_text(name), trove_amqp_text(type), 0, isDurable ? 1 : 0,
                        isAutoDelete ? 1 : 0, 0, amqp_empty_table)
                }
            }
        case .queue(let queue): declare(queue)
        case .bind(let queue, let exchange, let key):
            queue.withCString { queue in
                exchange.withCString { exchange in
                    key.withCString { key in
                        _ = amqp_queue_bind(
                            state, channel, trove_amqp_text(queue), trove_amqp_text(exchange), trove_amqp_text(key),
                            amqp_empty_table)
                    }
                }
            }
        case .deleteQueue(let name):
            name.withCString { _ = amqp_queue_delete(state, channel, trove_amqp_text($0), 0, 0) }
        }
    }

    private func declare(_ queue: RabbitQueue) {
        let (type, age): (String?, String?) =
            switch queue.kind {
            case .classic: (nil, nil)
            case .quorum: ("quorum", nil)
            case .stream(let seconds): ("stream", seconds > 0 ? "\(seconds)s" : nil)
            }
        let durable: Int32 = queue.isDurable ? 1 : 0
        let expires = Int32(clamping: queue.expiresSeconds * 1000)
        let autoDelete: Int32 = queue.isAutoDelete ? 1 : 0
        trove_amqp_declare_queue(
            state, Self.requestChannel, queue.name, durable, autoDelete, type, expires, age)
    }

    private func check(_ what: String, reach: RabbitFailure.Reach) throws(RabbitFailure) {
        if let failure = Self.failure(amqp_get_rpc_reply(state), what, reach: reach) { throw failure }
    }
}
