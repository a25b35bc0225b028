// SPDX-License-Identifier: Apache-2.0

import CRabbitMQ
import Glibc
import Logging
import Model

/// One connection to the broker, used by one thread alone.
///
/// Messages go over channel 1. What the broker may refuse goes over channel 2, which is opened for it, since a refusal closes its
/// channel.
final class RabbitConnection {
    static let requestChannel: UInt16 = 2
    private static let connectSeconds = 5
    private static let requestSeconds = 10
    /// Milliseconds that something written may stay unacknowledged by the peer's system. Source: tcp(7).
    private static let userTimeoutMilliseconds: Int32 = 30_000
    private static let tcpUserTimeout: Int32 = 18
    private static let tcpCork: Int32 = 3

    let descriptor: Int32
    /// Seconds between signs of life, as agreed; 0 for none.
    let heartbeatSeconds: Int
    let state: OpaquePointer
    private var input = RabbitInput()
    var isRequestChannelOpen = false
    private let isEncrypted: Bool
    /// Whether the socket is to be read before it counts as drained.
    private var mustRead = true

    /// Connects, logs in and opens channel 1.
    init(
        _ configuration: RabbitConfiguration, _ address: RabbitURL.Address, name: String
    ) throws(RabbitFailure) {
        guard let state = amqp_new_connection() else { throw .library(AMQP_STATUS_NO_MEMORY.rawValue, "no connection") }
        do throws(RabbitFailure) {
            try Self.open(state, configuration, address)
            try Self.logIn(state, configuration, address, name)
        } catch {
            amqp_destroy_connection(state)
            throw error
        }
        self.state = state
        isEncrypted = configuration.url.usesTLS
        descriptor = amqp_get_sockfd(state)
        heartbeatSeconds = Int(amqp_get_heartbeat(state))
    }

    deinit { amqp_destroy_connection(state) }

    /// Says goodbye; waits a moment for the broker's answer.
    func close() {
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        amqp_set_rpc_timeout(state, &limit)
        _ = amqp_connection_close(state, AMQP_REPLY_SUCCESS)
    }

    private static func open(
        _ state: OpaquePointer, _ configuration: RabbitConfiguration, _ address: RabbitURL.Address
    ) throws(RabbitFailure) {
        let what = "\(address) cannot be reached"
        var limit = timeval(tv_sec: connectSeconds, tv_usec: 0)
        amqp_set_handshake_timeout(state, &limit)
        let socket =
            configuration.url.usesTLS
            ? try RabbitTLS.socket(state, configuration, address) : amqp_tcp_socket_new(state)
        guard let socket else { throw .library(AMQP_STATUS_NO_MEMORY.rawValue, what) }
        let status = amqp_socket_open_noblock(socket, address.host, Int32(address.port), &limit)
        guard status == 0 else {
            throw configuration.url.usesTLS ? RabbitTLS.failure(status, what) : .library(status, what)
        }
        var milliseconds = userTimeoutMilliseconds
        setsockopt(amqp_get_sockfd(state), Int32(IPPROTO_TCP), tcpUserTimeout, &milliseconds, 4)
    }

    private static func logIn(
        _ state: OpaquePointer, _ configuration: RabbitConfiguration, _ address: RabbitURL.Address, _ name: String
    ) throws(RabbitFailure) {
        let url = configuration.url
        let reply = trove_amqp_login(
            state, url.virtualHost, Int32(configuration.heartbeatSeconds), name, url.user,
            configuration.password.revealed)
        let what = "\(address) refuses the user '\(url.user)' at the virtual host '\(url.virtualHost)'"
        if let failure = failure(reply, what, reach: .connection) {
            guard reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION else { throw failure }
            throw .library(reply.library_error, "\(address) does not answer as a broker")
        }
        var limit = timeval(tv_sec: requestSeconds, tv_usec: 0)
        amqp_set_rpc_timeout(state, &limit)
        amqp_channel_open(state, 1)
        if let failure = failure(amqp_get_rpc_reply(state), "\(address) opens no channel", reach: .connection) {
            throw failure
        }
    }

    /// What an answer says went wrong; nil when nothing did.
    static func failure(
        _ reply: amqp_rpc_reply_t, _ what: String, reach: RabbitFailure.Reach
    ) -> RabbitFailure? {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return nil
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            guard let decoded = reply.reply.decoded else { break }
            if reply.reply.id == TROVE_AMQP_CONNECTION_CLOSE {
                let close = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
                return .broker(close.reply_code, close.reply_text.string, what, reach: .connection)
            }
            let close = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            return .broker(close.reply_code, close.reply_text.string, what, reach: reach)
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: return .library(reply.library_error, what)
        default: break
        }
        return RabbitFailure(reach: .connection, description: "\(what): no answer")
    }
}

// MARK: - Messages

extension RabbitConnection {
    /// Writes a message; the broker's answer comes as an event.
    ///
    /// - Parameter expiration: Milliseconds after which nobody wants it; nil for never.
    func publish(
        exchange: String, key: String, isMandatory: Bool, expiration: Int64?, body: [UInt8]
    ) throws(RabbitFailure) {
        let status =
            if let expiration {
                trove_amqp_publish(state, exchange, key, isMandatory ? 1 : 0, "\(expiration)", body, body.count)
            } else {
                trove_amqp_publish(state, exchange, key, isMandatory ? 1 : 0, nil, body, body.count)
            }
        guard status == 0 else { throw .library(status, "a message cannot be written") }
    }

    func acknowledge(_ tag: UInt64) throws(RabbitFailure) {
        let status = amqp_basic_ack(state, 1, tag, 0)
        guard status == 0 else { throw .library(status, "a delivery cannot be acknowledged") }
    }

    /// Gives a delivery up: to another consumer, or to nobody.
    func reject(_ tag: UInt64, requeue: Bool) throws(RabbitFailure) {
        let status = amqp_basic_reject(state, 1, tag, requeue ? 1 : 0)
        guard status == 0 else { throw .library(status, "a delivery cannot be rejected") }
    }

    /// Whether a small message can be written without waiting.
    var hasRoom: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) == 1 && Int32(entry.revents) == POLLOUT
    }

    /// Ends the connection for its reader too.
    func breakOff() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Holds small frames back until `body` has written all of its own, so that they travel together.
    func together(_ body: () throws(RabbitFailure) -> Void) throws(RabbitFailure) {
        var flag: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), Self.tcpCork, &flag, 4)
        defer {
            flag = 0
            setsockopt(descriptor, Int32(IPPROTO_TCP), Self.tcpCork, &flag, 4)
        }
        try body()
    }

    /// The next event that is there already; nil when there is none. Keeps the connection alive on the way.
    func next() throws(RabbitFailure) -> RabbitEvent? {
        var frame = amqp_frame_t()
        var none = timeval()
        while true {
            amqp_maybe_release_buffers(state)
            // poll(2) tells of what a socket still has, but not of what TLS has taken off it already.
            if !mustRead, !isEncrypted, amqp_data_in_buffer(state) == 0, amqp_frames_enqueued(state) == 0 {
                mustRead = true
                return nil
            }
            let status = amqp_simple_wait_frame_noblock(state, &frame, &none)
            mustRead = status != 0
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            guard status == 0 else { throw .library(status, "the connection is lost") }
            if let event = try input.take(frame) { return event }
        }
    }
}
