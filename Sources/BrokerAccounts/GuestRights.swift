// SPDX-License-Identifier: Apache-2.0

import Model

/// What a guest may do at the broker, as its management API writes it.
///
/// Own queues are `guestagent.<id>`, `guestagent.<id>.<id>`, `guestagent.<id>_fanout_…` and `guestagent.<id>_reply_…`. A guest
/// takes its requests from the control exchange, and writes to another one, the guests' exchange, where nothing but the conductor
/// and the control plane's replies can be reached. With rights on keys of the control exchange alone a guest would get out: the
/// broker checks a message's first key, and not those in its `CC` header, nor where a dead letter, an alternate exchange or a
/// binding between exchanges leads. Source: RabbitMQ, "Authentication, Authorisation, Access Control", "Topic authorisation".
struct GuestRights {
    let instanceID: String
    /// The control exchange.
    let exchange: String
    /// Where guests write to.
    let guestExchange: String

    /// `{"configure", "write", "read"}`: patterns of names.
    var permissions: JSONValue {
        [
            "configure": .string("^\(own)$"),
            "write": .string("^(\(own)|\(Self.escaped(guestExchange)))$"),
            "read": .string("^(\(own)|\(Self.escaped(exchange)))$"),
        ]
    }

    /// `{"exchange", "write", "read"}`: patterns of routing keys, for each exchange.
    var topicPermissions: [JSONValue] {
        let nothing = JSONValue.string("^$")
        let topic = "guestagent\\.\(id)"
        return [
            [
                "exchange": .string(exchange), "write": nothing,
                "read": .string("^\(topic)(\\.\(id))?$"),
            ],
            [
                "exchange": .string(guestExchange), "write": .string("^(trove-conductor|reply_[0-9a-f]{32})$"),
                "read": nothing,
            ],
        ]
    }

    private var id: String { Self.escaped(instanceID) }

    private var own: String { "guestagent\\.\(id)(\\.\(id)|_fanout|_(fanout|reply)_[0-9a-f]{32})?" }

    /// A pattern that `text` alone fits.
    private static func escaped(_ text: String) -> String {
        String(text.flatMap { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) ? [$0] : ["\\", $0] })
    }
}
