// SPDX-License-Identifier: Apache-2.0

import CRabbitMQ

/// What a broker says of its own accord.
enum RabbitEvent {
    /// A message for the consumer `consumer`.
    case delivery(RabbitDelivery)
    /// A mandatory message had no queue to go to; its confirmation follows.
    case returned(exchange: String, key: String, body: [UInt8])
    /// The broker has, or has not, taken responsibility for a message, or for all up to it.
    case confirmed(tag: UInt64, isMultiple: Bool, isTaken: Bool)
    /// A consumer has ended because its queue is gone.
    case cancelled(consumer: String)
    /// The broker takes no messages for now; the reason.
    case blocked(String)
    case unblocked
}

/// A message as it came.
struct RabbitDelivery {
    var consumer: String
    var tag: UInt64
    var body: [UInt8] = []
    var contentType: String?
    var isCompressed = false
    /// Milliseconds that its sender waits for an answer; nil when it does not say.
    var expiration: Int64?
    /// Its place in a stream; nil for other queues.
    var streamOffset: Int64?
}

/// Puts the frames of a connection together to events.
///
/// A message is a method, a header with the size of its body, and frames with the body's parts.
/// Source: AMQP 0-9-1, section 4.2.6 "Content Framing".
struct RabbitInput {
    /// A body above this is skipped; the delivery is then without one, which no reader takes.
    static let maximumBodyBytes = 128 << 20

    private enum Content {
        case delivery(RabbitDelivery)
        case returned(exchange: String, key: String)
    }
    private var content: Content?
    private var body: [UInt8] = []
    private var left: UInt64 = 0
    private var isSkipped = false

    /// Takes one frame; returns the event that it completes.
    ///
    /// - Throws: When the broker closes the channel or the connection.
    mutating func take(_ frame: amqp_frame_t) throws(RabbitFailure) -> RabbitEvent? {
        switch frame.frame_type {
        case UInt8(AMQP_FRAME_METHOD): return try method(frame.payload.method)
        case UInt8(AMQP_FRAME_HEADER):
            return header(frame.payload.properties.body_size, frame.payload.properties.decoded)
        case UInt8(AMQP_FRAME_BODY): return part(frame.payload.body_fragment)
        default: return nil
        }
    }

    private mutating func method(_ method: amqp_method_t) throws(RabbitFailure) -> RabbitEvent? {
        guard let decoded = method.decoded else { return nil }
        func read<Value>(_ type: Value.Type) -> Value { decoded.assumingMemoryBound(to: type).pointee }
        switch method.id {
        case TROVE_AMQP_BASIC_DELIVER:
            let deliver = read(amqp_basic_deliver_t.self)
            content = .delivery(RabbitDelivery(consumer: deliver.consumer_tag.string, tag: deliver.delivery_tag))
        case TROVE_AMQP_BASIC_RETURN:
            let returned = read(amqp_basic_return_t.self)
            content = .returned(exchange: returned.exchange.string, key: returned.routing_key.string)
        case TROVE_AMQP_BASIC_ACK:
            let ack = read(amqp_basic_ack_t.self)
            return .confirmed(tag: ack.delivery_tag, isMultiple: ack.multiple != 0, isTaken: true)
        case TROVE_AMQP_BASIC_NACK:
            let nack = read(amqp_basic_nack_t.self)
            return .confirmed(tag: nack.delivery_tag, isMultiple: nack.multiple != 0, isTaken: false)
        case TROVE_AMQP_BASIC_CANCEL: return .cancelled(consumer: read(amqp_basic_cancel_t.self).consumer_tag.string)
        case TROVE_AMQP_CONNECTION_BLOCKED: return .blocked(read(amqp_connection_blocked_t.self).reason.string)
        case TROVE_AMQP_CONNECTION_UNBLOCKED: return .unblocked
        case TROVE_AMQP_CONNECTION_CLOSE:
            let close = read(amqp_connection_close_t.self)
            throw .broker(close.reply_code, close.reply_text.string, "the connection was closed", reach: .connection)
        case TROVE_AMQP_CHANNEL_CLOSE:
            let close = read(amqp_channel_close_t.self)
            throw .broker(close.reply_code, close.reply_text.string, "the channel was closed", reach: .connection)
        default: break
        }
        return nil
    }

    private mutating func header(_ size: UInt64, _ decoded: UnsafeMutableRawPointer?) -> RabbitEvent? {
        left = size
        isSkipped = size > Self.maximumBodyBytes
        body = []
        if !isSkipped { body.reserveCapacity(Int(size)) }
        if case .delivery(var delivery) = content, let decoded {
            let properties = decoded.assumingMemoryBound(to: amqp_basic_properties_t.self)
            if trove_amqp_has(properties, UInt32(AMQP_BASIC_CONTENT_TYPE_FLAG)) != 0 {
                delivery.contentType = properties.pointee.content_type.string
            }
            if trove_amqp_has(properties, UInt32(AMQP_BASIC_EXPIRATION_FLAG)) != 0 {
                delivery.expiration = Int64(properties.pointee.expiration.string)
            }
            delivery.isCompressed = trove_amqp_is_compressed(properties) != 0
            let offset = trove_amqp_stream_offset(properties)
            delivery.streamOffset = offset < 0 ? nil : offset
            content = .delivery(delivery)
        }
        return left == 0 ? complete() : nil
    }

    private mutating func part(_ bytes: amqp_bytes_t) -> RabbitEvent? {
        if !isSkipped, let start = bytes.bytes {
            body.append(contentsOf: UnsafeRawBufferPointer(start: start, count: bytes.len))
        }
        left -= min(left, UInt64(bytes.len))
        return left == 0 ? complete() : nil
    }

    private mutating func complete() -> RabbitEvent? {
        defer {
            content = nil
            body = []
        }
        switch content {
        case .delivery(var delivery):
            delivery.body = body
            return .delivery(delivery)
        case .returned(let exchange, let key): return .returned(exchange: exchange, key: key, body: body)
        case nil: return nil
        }
    }
}
