// SPDX-License-Identifier: Apache-2.0

import CRabbitMQ
import Glibc
import Logging
import Model
import TestSupport

@testable import BrokerAccounts

/// A real RabbitMQ, and its administration.
struct BrokerFixture {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let nodes: Nodes
    let administration: RabbitAdministration

    init(_ nodes: Nodes? = nil) throws {
        self.nodes = try nodes ?? Nodes.shared([.rabbitmq])
        administration = try RabbitAdministration(Self.configuration(self.nodes), logger: Self.quiet)
    }

    static func configuration(_ nodes: Nodes) throws -> RabbitAdministrationConfiguration {
        RabbitAdministrationConfiguration(
            url: try nodes.text("rabbitmq", "management_url"), user: "admin",
            password: Secret(try nodes.password("rabbitmq", "admin")), virtualHost: "trove", exchange: "trove",
            guestExchange: "trove_guests")
    }

    /// A connection of the control plane.
    func control() throws -> BrokerSession {
        try session("trove", Secret(try nodes.password("rabbitmq", "trove")))
    }

    func session(_ account: GuestAccount) throws -> BrokerSession { try session(account.user, account.password) }

    private func session(_ user: String, _ password: Secret) throws -> BrokerSession {
        try BrokerSession(
            host: nodes.text("rabbitmq", "host"), port: nodes.port("rabbitmq", "port"), user: user, password: password)
    }
}

/// One AMQP connection that does whatever it is told, by the right and by the wrong.
final class BrokerSession {
    struct Refused: Error, CustomStringConvertible {
        /// What the broker said; 0 when the connection was lost.
        var code: Int
        var description: String { "the broker refused with \(code)" }
    }

    private let state: OpaquePointer
    private var channel: UInt16 = 0
    private var texts: [UnsafeMutablePointer<CChar>] = []

    init(host: String, port: Int, user: String, password: Secret) throws {
        guard let state = amqp_new_connection(), let socket = amqp_tcp_socket_new(state),
            amqp_socket_open(socket, host, Int32(port)) == 0
        else { throw Refused(code: 0) }
        self.state = state

        let reply = trove_amqp_login(state, "trove", 0, "test", user, password.revealed)
        guard reply.reply_type == AMQP_RESPONSE_NORMAL else { throw Refused(code: 403) }
        try open()
    }

    deinit {
        amqp_destroy_connection(state)
        for text in texts { text.deallocate() }
    }

    /// A refusal closes its channel, so each attempt has one of its own.
    private func open() throws {
        channel += 1
        amqp_channel_open(state, channel)
        try check()
    }

    private func check() throws {
        let reply = amqp_get_rpc_reply(state)
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            guard reply.reply.id == 0x0014_0028, let decoded = reply.reply.decoded else { throw Refused(code: 0) }
            let code = Int(decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee.reply_code)
            var done = amqp_channel_close_ok_t()
            amqp_send_method(state, channel, 0x0014_0029, &done)
            throw Refused(code: code)
        default: throw Refused(code: 0)
        }
    }

    private func bytes(_ text: String) -> amqp_bytes_t {
        guard let copy = strdup(text) else { return amqp_bytes_t() }
        texts.append(copy)
        return amqp_cstring_bytes(copy)
    }

    /// Does something that the broker answers.
    private func ask(_ body: () -> Void) throws {
        try open()
        body()
        try check()
    }

    func declare(_ queue: String, _ arguments: [String: String] = [:]) throws {
        try ask {
            withTable(arguments) { _ = amqp_queue_declare(state, channel, bytes(queue), 0, 0, 0, 0, $0) }
        }
    }

    func declareExchange(_ name: String, type: String = "fanout", _ arguments: [String: String] = [:]) throws {
        try ask {
            withTable(arguments) {
                _ = amqp_exchange_declare(state, channel, bytes(name), bytes(type), 0, 0, 0, 0, $0)
            }
        }
    }

    func deleteExchange(_ name: String) throws { try ask { _ = amqp_exchange_delete(state, channel, bytes(name), 0) } }

    func bind(_ queue: String, to exchange: String, _ key: String) throws {
        try ask {
            _ = amqp_queue_bind(state, channel, bytes(queue), bytes(exchange), bytes(key), amqp_empty_table)
        }
    }

    func bindExchange(_ destination: String, to source: String, _ key: String) throws {
        try ask {
            _ = amqp_exchange_bind(state, channel, bytes(destination), bytes(source), bytes(key), amqp_empty_table)
        }
    }

    func consume(_ queue: String) throws {
        try ask {
            _ = amqp_basic_consume(state, channel, bytes(queue), amqp_bytes_t(), 0, 1, 0, amqp_empty_table)
        }
    }

    func purge(_ queue: String) throws { try ask { _ = amqp_queue_purge(state, channel, bytes(queue)) } }

    func delete(_ queue: String) throws { try ask { _ = amqp_queue_delete(state, channel, bytes(queue), 0, 0) } }

    /// - Returns: Whether there was a message.
    func get(_ queue: String) throws -> Bool {
        try open()
        let reply = amqp_basic_get(state, channel, bytes(queue), 1)
        guard reply.reply_type == AMQP_RESPONSE_NORMAL else {
            try check()
            throw Refused(code: 0)
        }
        guard reply.reply.id == 0x003C_0047 else { return false }
        var message = amqp_message_t()
        guard amqp_read_message(state, channel, &message, 0).reply_type == AMQP_RESPONSE_NORMAL else {
            throw Refused(code: 0)
        }
        amqp_destroy_message(&message)
        return true
    }

    /// Publishes, and asks something harmless behind it, so that a refusal shows.
    func publish(_ exchange: String, _ key: String, copyTo other: String? = nil) throws {
        try ask {
            var properties = amqp_basic_properties_t()
            if let other {
                var copy = amqp_field_value_t()
                copy.kind = 0x53
                copy.value.bytes = bytes(other)
                withUnsafeMutablePointer(to: &copy) { copy in
                    var entry = amqp_table_entry_t()
                    entry.key = bytes("CC")
                    entry.value.kind = 0x41
                    entry.value.value.array = amqp_array_t(num_entries: 1, entries: copy)
                    withUnsafeMutablePointer(to: &entry) { entry in
                        properties._flags = 1 << 13
                        properties.headers = amqp_table_t(num_entries: 1, entries: entry)
                        amqp_basic_publish(state, channel, bytes(exchange), bytes(key), 0, 0, &properties, bytes("x"))
                    }
                }
            } else {
                amqp_basic_publish(state, channel, bytes(exchange), bytes(key), 0, 0, &properties, bytes("x"))
            }
            _ = amqp_confirm_select(state, channel)
        }
    }

    /// Whether the broker ends the connection within so many seconds.
    func ends(within seconds: Int) -> Bool {
        var frame = amqp_frame_t()
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        while true {
            let status = amqp_simple_wait_frame_noblock(state, &frame, &limit)
            if status == AMQP_STATUS_TIMEOUT.rawValue { return false }
            if status != 0 { return true }
            if frame.frame_type == 1, frame.payload.method.id == TROVE_AMQP_CONNECTION_CLOSE { return true }
        }
    }

    private func withTable(_ arguments: [String: String], _ body: (amqp_table_t) -> Void) {
        var entries = arguments.map { name, value in
            var entry = amqp_table_entry_t()
            entry.key = bytes(name)
            // A number where the broker wants one, else a text.
            if let number = Int32(value) {
                entry.value.kind = 0x49
                entry.value.value.i32 = number
            } else {
                entry.value.kind = 0x53
                entry.value.value.bytes = bytes(value)
            }
            return entry
        }
        entries.withUnsafeMutableBufferPointer { buffer in
            body(amqp_table_t(num_entries: Int32(buffer.count), entries: buffer.baseAddress))
        }
    }
}
