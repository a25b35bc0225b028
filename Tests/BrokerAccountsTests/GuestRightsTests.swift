// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@testable import BrokerAccounts

/// What one guest's account can do at a real broker to the rest of the world.
@Suite("GuestRights, Serial", .serialized)
struct GuestRightsTests {
    static let own = "6d1e5b6a-2f5c-4a0e-9a53-0d6c2c7d9f10"
    static let other = "6d1e5b6a-2f5c-4a0e-9a53-0d6c2c7d9f11"
    static let reply = "reply_cfa70701279f4e37859558eaf3166df5"
    static let victims = ["guestagent.\(other)", "guestagent.\(other).\(other)", "taskmanager", "notifications.info"]

    /// Runs `body` with a guest's session and a control plane's, and the queues of all of them.
    private func withGuest(_ body: (_ guest: BrokerSession, _ control: BrokerSession) async throws -> Void) async throws
    {
        let broker = try BrokerFixture()
        let control = try broker.control()
        try control.declareExchange("trove", type: "topic")
        try control.declareExchange("trove_guests", type: "topic")
        for queue in Self.victims + ["trove-conductor", "guestagent.\(Self.own)", Self.reply] {
            try control.declare(queue)
            try control.bind(queue, to: "trove", queue)
            try control.purge(queue)
        }
        for queue in ["trove-conductor", Self.reply] { try control.bind(queue, to: "trove_guests", queue) }
        for id in [Self.own, Self.other] {
            try await broker.administration.create(try GuestAccount(instanceID: id, passphrase: Secret("p")))
        }
        let account = try GuestAccount(instanceID: Self.own, passphrase: Secret("p"))
        try await body(try broker.session(account), control)
        for id in [Self.own, Self.other] { try await broker.administration.remove(instanceID: id) }
    }

    /// That nothing reached anybody whom the guest may not write to.
    private func expectNothing(_ control: BrokerSession, _ way: String) throws {
        for victim in Self.victims {
            #expect(try !control.get(victim), "\(way) reached \(victim)")
        }
    }

    private func expectRefusal(_ way: String, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("\(way) was allowed")
        } catch let refusal as BrokerSession.Refused {
            #expect(refusal.code == 403, "\(way)")
        } catch {
            Issue.record("\(way): \(error)")
        }
    }

    @Test("it serves its own queues, reports to the conductor and replies")
    func serves() async throws {
        try await withGuest { guest, control in
            let topic = "guestagent.\(Self.own)"
            let unique = "0123456789abcdef0123456789abcdef"
            try guest.declare(topic)
            try guest.declare("\(topic).\(Self.own)")
            for queue in [topic, "\(topic).\(Self.own)"] { try guest.bind(queue, to: "trove", queue) }
            try guest.declareExchange("\(topic)_fanout")
            try guest.declare("\(topic)_fanout_\(unique)", ["x-expires": "1800000"])
            try guest.bind("\(topic)_fanout_\(unique)", to: "\(topic)_fanout", topic)
            try guest.declare("\(topic)_reply_\(unique)", ["x-expires": "1800000"])
            for queue in ["", ".\(Self.own)", "_fanout_\(unique)", "_reply_\(unique)"] {
                try guest.consume(topic + queue)
            }
            try guest.publish("trove_guests", "trove-conductor")
            try guest.publish("trove_guests", Self.reply)
            #expect(try control.get("trove-conductor") && control.get(Self.reply))
            try control.delete("\(topic)_fanout_\(unique)")
        }
    }

    @Test("it cannot read what is another's: consume, get, bind, declare, purge or delete")
    func cannotRead() async throws {
        try await withGuest { guest, control in
            for queue in Self.victims + ["trove-conductor", Self.reply] {
                expectRefusal("consume \(queue)") { try guest.consume(queue) }
                expectRefusal("get \(queue)") { _ = try guest.get(queue) }
                expectRefusal("purge \(queue)") { try guest.purge(queue) }
                expectRefusal("delete \(queue)") { try guest.delete(queue) }
                expectRefusal("declare \(queue)") { try guest.declare(queue) }
            }
            let own = "guestagent.\(Self.own)"
            try guest.declareExchange("\(own)_fanout")
            for key in ["#", "*.*", "guestagent.#", "guestagent.*", "guestagent.\(Self.other)", "trove-conductor"] {
                expectRefusal("bind \(key)") { try guest.bind(own, to: "trove", key) }
                expectRefusal("bind an exchange \(key)") {
                    try guest.bindExchange("\(own)_fanout", to: "trove", key)
                }
                expectRefusal("bind to reports \(key)") { try guest.bind(own, to: "trove_guests", key) }
            }
            expectRefusal("bind another's fanout") { try guest.bind(own, to: "guestagent.\(Self.other)_fanout", "") }
            expectRefusal("declare any queue") { try guest.declare("mine") }
            expectRefusal("declare a longer name") { try guest.declare("guestagent.\(Self.own)0") }
            for name in ["amq.topic", "amq.rabbitmq.trace"] {
                expectRefusal("bind \(name)") { try guest.bind(own, to: name, "#") }
            }
        }
    }

    @Test("it cannot write to another: directly, by copies, dead letters, alternate exchanges or bindings")
    func cannotWrite() async throws {
        try await withGuest { guest, control in
            let own = "guestagent.\(Self.own)"
            for victim in Self.victims {
                expectRefusal("publish \(victim)") { try guest.publish("trove", victim) }
                expectRefusal("publish by default exchange \(victim)") { try guest.publish("", victim) }
                expectRefusal("report as \(victim)") { try guest.publish("trove_guests", victim) }
                try guest.publish("trove_guests", "trove-conductor", copyTo: victim)
                expectRefusal("dead letters \(victim)") {
                    try guest.declare(
                        "\(own)_fanout_\(String(repeating: "a", count: 32))",
                        ["x-dead-letter-exchange": "trove", "x-dead-letter-routing-key": victim])
                }
                let stash = "\(own)_fanout_\(String(repeating: "b", count: 32))"
                try guest.declare(
                    stash,
                    [
                        "x-message-ttl": "0", "x-dead-letter-exchange": "trove_guests",
                        "x-dead-letter-routing-key": victim,
                    ])
                try guest.declareExchange("\(own)_fanout")
                try guest.bind(stash, to: "\(own)_fanout", "")
                try guest.publish("\(own)_fanout", "")
                try guest.delete(stash)
                expectRefusal("binding into the control exchange") {
                    try guest.bindExchange("trove", to: "\(own)_fanout", victim)
                }
                try? guest.bindExchange("trove_guests", to: "\(own)_fanout", victim)
                try guest.publish("\(own)_fanout", victim)
            }
            try guest.deleteExchange("\(own)_fanout")
            expectRefusal("alternate exchange") {
                try guest.declareExchange("\(own)_fanout", ["alternate-exchange": "trove"])
            }
            expectRefusal("another's fanout") { try guest.publish("guestagent.\(Self.other)_fanout", "") }
            // What is refused nowhere still arrives nowhere; the conductor has it, so it has been routed.
            #expect(try control.get("trove-conductor"))
            try expectNothing(control, "a message of the guest")
        }
    }

    @Test("removing the account ends its connections and lets nobody in again")
    func removed() async throws {
        let broker = try BrokerFixture()
        let account = try GuestAccount(instanceID: Self.own, passphrase: Secret("p"))
        try await broker.administration.create(account)
        let guest = try broker.session(account)
        try await broker.administration.remove(instanceID: Self.own)
        #expect(guest.ends(within: 5))
        #expect(throws: BrokerSession.Refused.self) { try broker.session(account) }
    }
}
