// SPDX-License-Identifier: Apache-2.0

/// Names of exchanges and queues, as on the production bus.
enum HubName {
    /// The control exchange.
    static let exchange = "trove"
    /// The exchange that makes the queue of each key, which drops its oldest message rather than refuse one.
    static let notifications = "notifications"
    static let fanoutSuffix = "_fanout"

    static func server(_ topic: String, _ server: String) -> String { "\(topic).\(server)" }
    static func fanout(_ topic: String) -> String { topic + fanoutSuffix }
    static func fanoutQueue(_ topic: String, _ unique: String) -> String { "\(topic)\(fanoutSuffix)_\(unique)" }
    static func reply(_ unique: String) -> String { "reply_\(unique)" }
}
