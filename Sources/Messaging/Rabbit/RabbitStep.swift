// SPDX-License-Identifier: Apache-2.0

/// A queue as it is declared.
struct RabbitQueue: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case classic, quorum
        case stream(maximumAgeSeconds: Int)
    }

    var name: String
    var kind = Kind.classic
    var isDurable = false
    var isAutoDelete = false
    /// Seconds without a user after which it goes; 0 for never.
    var expiresSeconds = 0
    /// The switch that decides what it is like, for whoever finds another one in its place.
    var switches: String
}

/// One thing that the broker is asked to make or remove.
enum RabbitStep: Sendable, Hashable {
    case exchange(String, type: String, isDurable: Bool, isAutoDelete: Bool, switches: String)
    case queue(RabbitQueue)
    case bind(queue: String, exchange: String, key: String)
    case deleteQueue(String)

    /// What it does, for error messages.
    var description: String {
        switch self {
        case .exchange(let name, _, _, _, _): "the exchange '\(name)' cannot be declared"
        case .queue(let queue): "the queue '\(queue.name)' cannot be declared"
        case .bind(let queue, let exchange, _): "the queue '\(queue)' cannot be bound to the exchange '\(exchange)'"
        case .deleteQueue(let name): "the queue '\(name)' cannot be deleted"
        }
    }

    /// What to look at when the broker has something else under that name.
    var advice: String {
        switch self {
        case .exchange(_, _, _, _, let switches): Self.advice(switches)
        case .queue(let queue): Self.advice(queue.switches)
        case .bind, .deleteQueue: ""
        }
    }

    private static func advice(_ switches: String) -> String {
        "; it exists with other properties: set \(switches) as its other users do, or delete it"
    }
}

/// Names and properties of exchanges and queues, as the rabbit driver of oslo.messaging makes them.
struct RabbitTopology: Sendable {
    let configuration: RabbitConfiguration

    var exchange: String { configuration.exchange }

    func serverQueue(_ topic: String, _ server: String) -> String { "\(topic).\(server)" }
    func fanoutExchange(_ topic: String) -> String { topic + "_fanout" }

    /// The queue of a server's fanout messages; with streams one for all.
    func fanoutQueue(_ topic: String, _ unique: String) -> String {
        configuration.isStreamFanout ? fanoutExchange(topic) : "\(fanoutExchange(topic))_\(unique)"
    }

    /// Where requests are written to.
    var requestExchange: String {
        configuration.isRestricted ? configuration.guestExchange ?? exchange : exchange
    }

    /// Where replies are written to: the default exchange, unless the account may not.
    var replyExchange: String { configuration.isRestricted ? configuration.guestExchange ?? "" : "" }

    /// The control exchange and the one of restricted peers; nothing for an account that may not declare them.
    var controlExchange: [RabbitStep] {
        guard !configuration.isRestricted else { return [] }
        let isDurable = configuration.isDurable || configuration.isQuorum
        let control = RabbitStep.exchange(
            exchange, type: "topic", isDurable: isDurable, isAutoDelete: configuration.isAutoDelete,
            switches: "durable, quorum and auto_delete")
        guard let guests = configuration.guestExchange else { return [control] }
        return [
            control,
            .exchange(
                guests, type: "topic", isDurable: isDurable, isAutoDelete: false, switches: "durable and quorum"),
        ]
    }

    /// The queues that requests to a server wait in.
    func requestQueues(_ topic: String, _ server: String) -> [RabbitStep] {
        controlExchange + bound(topic) + bound(serverQueue(topic, server)) + guestBinding(topic)
    }

    /// Lets restricted peers write to a topic.
    private func guestBinding(_ topic: String) -> [RabbitStep] {
        guard !configuration.isRestricted, let guests = configuration.guestExchange,
            configuration.guestTopics.contains(topic)
        else { return [] }
        return [.bind(queue: topic, exchange: guests, key: topic)]
    }

    /// A queue of the control exchange, under its own name.
    private func bound(_ name: String) -> [RabbitStep] {
        [
            .queue(
                RabbitQueue(
                    name: name, kind: configuration.isQuorum ? .quorum : .classic,
                    isDurable: configuration.isDurable || configuration.isQuorum,
                    isAutoDelete: configuration.isAutoDelete, switches: "durable, quorum and auto_delete")),
            .bind(queue: name, exchange: exchange, key: name),
        ]
    }

    /// The queue of a topic's notifications of one priority.
    func notificationQueue(_ name: String) -> [RabbitStep] { controlExchange + bound(name) }

    func fanoutExchangeStep(_ topic: String) -> RabbitStep {
        .exchange(
            fanoutExchange(topic), type: "fanout", isDurable: usesReplicatedTransients, isAutoDelete: true,
            switches: "transient_quorum")
    }

    func fanoutSteps(_ topic: String, _ unique: String) -> [RabbitStep] {
        let name = fanoutQueue(topic, unique)
        let queue =
            configuration.isStreamFanout
            ? RabbitQueue(
                name: name, kind: .stream(maximumAgeSeconds: configuration.transientSeconds), isDurable: true,
                switches: "stream_fanout") : transientQueue(name)
        return [
            fanoutExchangeStep(topic), .queue(queue), .bind(queue: name, exchange: fanoutExchange(topic), key: topic),
        ]
    }

    /// The queue of this process' replies.
    func replySteps(_ name: String) -> [RabbitStep] {
        let queue = RabbitStep.queue(transientQueue(name))
        guard !configuration.isRestricted, let guests = configuration.guestExchange else { return [queue] }
        return controlExchange + [queue, .bind(queue: name, exchange: guests, key: name)]
    }

    private func transientQueue(_ name: String) -> RabbitQueue {
        RabbitQueue(
            name: name, kind: usesReplicatedTransients ? .quorum : .classic, isDurable: usesReplicatedTransients,
            expiresSeconds: configuration.transientSeconds, switches: "transient_quorum")
    }

    private var usesReplicatedTransients: Bool { configuration.isTransientQuorum || configuration.isStreamFanout }
}
