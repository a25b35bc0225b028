// SPDX-License-Identifier: Apache-2.0

package import Model

/// How to connect to a RabbitMQ broker, and what its exchanges and queues are like.
///
/// Peers must agree on the exchange and on the five switches, or whoever declares first keeps the others out.
/// Source: options of the rabbit driver of oslo.messaging, named behind each.
package struct RabbitConfiguration: Sendable {
    package var url: RabbitURL
    package var password: Secret
    /// PEM file of the authorities that the broker's certificate is checked against; the system's when nil. With TLS only.
    package var caFile: String?
    /// PEM files of an own certificate and its key; both or neither.
    package var certificateFile: String?
    package var keyFile: String?
    /// The control exchange (`control_exchange`).
    package var exchange: String
    /// Seconds without a sign of life after which the connection counts as lost; 0 for never (`heartbeat_timeout_threshold`).
    package var heartbeatSeconds: Int
    /// The control exchange and the queues of topics survive a restart of the broker (`amqp_durable_queues`).
    package var isDurable: Bool
    /// They go with their last user (`amqp_auto_delete`).
    package var isAutoDelete: Bool
    /// Queues of topics are replicated, and durable (`rabbit_quorum_queue`).
    package var isQuorum: Bool
    /// Reply and fanout queues are replicated, and durable (`rabbit_transient_quorum_queue`).
    package var isTransientQuorum: Bool
    /// A topic has one fanout queue, a stream (`rabbit_stream_fanout`); reply queues are then as with `isTransientQuorum`.
    package var isStreamFanout: Bool
    /// Seconds that a reply or fanout queue outlives its last user (`rabbit_transient_queues_ttl`).
    package var transientSeconds: Int
    /// Whether the account may use its own queues alone: it declares no exchange of others, and writes to `guestExchange`.
    package var isRestricted: Bool
    /// Exchange that restricted peers write to. A bus that is not restricted makes it, and binds its reply queue and the queues
    /// of `guestTopics` there; nil for none.
    ///
    /// An exchange of its own, because whoever may write to the control exchange reaches every queue there: the broker checks a
    /// message's first routing key, and not those in its `CC` header.
    package var guestExchange: String?
    /// Topics that restricted peers may send to.
    package var guestTopics: [String]
    /// Before the name of the reply queue, where the account's queues have a common beginning.
    package var replyPrefix: String

    /// Name of the exchange that guests write to, beside a control exchange.
    package static func guestExchange(of exchange: String) -> String { exchange + "_guests" }

    package init(url: RabbitURL, password: Secret) {
        self.url = url
        self.password = password
        exchange = "trove"
        heartbeatSeconds = 60
        isDurable = false
        isAutoDelete = false
        isQuorum = false
        isTransientQuorum = false
        isStreamFanout = false
        transientSeconds = 1800
        isRestricted = false
        guestTopics = []
        replyPrefix = ""
    }
}
