// SPDX-License-Identifier: Apache-2.0

/// One unit of the conversation between the local hub and its clients.
///
/// Shape: 4 bytes length of the rest, 1 byte kind, 8 bytes number, then what the kind needs; integers are big-endian, texts have 2
/// bytes of length in front, a body is the rest. At most `maximumBytes` in all.
package enum HubFrame: Sendable, Hashable {
    /// First frame of a client.
    case hello(number: UInt64, version: UInt16, name: String)
    /// Makes a queue. With `fanout`, also a fanout exchange of that name that feeds it. A transient one goes with its client.
    case declare(number: UInt64, queue: String, fanout: String, isTransient: Bool)
    /// Takes messages off a queue from now on; `tag` names the consumer within its connection.
    case consume(number: UInt64, tag: UInt32, queue: String)
    /// Ends a consumer; what it has not acknowledged goes to the others.
    case cancel(number: UInt64, tag: UInt32)
    /// Sends a body. `expires` in milliseconds, 0 for never.
    case publish(number: UInt64, expires: UInt32, exchange: String, key: String, body: [UInt8])
    /// The client has taken the delivery `number`; the hub forgets it.
    case acknowledge(number: UInt64)
    /// Removes a queue with everything in it.
    case delete(number: UInt64, queue: String)
    /// The hub did what frame `number` asked for.
    case confirm(number: UInt64)
    /// The hub did not do what frame `number` asked for.
    case refuse(number: UInt64, reason: Refusal, message: String)
    /// A message for the consumer `tag`; `expires` is what is left, 0 for never.
    case deliver(number: UInt64, tag: UInt32, expires: UInt32, isRedelivered: Bool, body: [UInt8])

    /// Why the hub refuses.
    package enum Refusal: UInt8, Sendable {
        /// Nobody declared the queue.
        case noQueue = 1
        /// The queue, or the hub, holds as much as it may.
        case full = 2
        /// The frame makes no sense here.
        case invalid = 3
    }

    /// Version of this conversation.
    package static let protocolVersion: UInt16 = 1
    /// A frame's size limit, its length field included.
    package static let maximumBytes = 16 * 1024 * 1024
}

extension HubFrame {
    /// The frame as it travels.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }

    /// Appends the frame as it travels.
    package func encode(into bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.put(UInt32(0))
        switch self {
        case .hello(let number, let version, let name):
            bytes.put(1, number)
            bytes.put(version)
            bytes.put(text: name)
        case .declare(let number, let queue, let fanout, let isTransient):
            bytes.put(2, number)
            bytes.append(isTransient ? 1 : 0)
            bytes.put(text: queue)
            bytes.put(text: fanout)
        case .consume(let number, let tag, let queue):
            bytes.put(3, number)
            bytes.put(tag)
            bytes.put(text: queue)
        case .cancel(let number, let tag):
            bytes.put(4, number)
            bytes.put(tag)
        case .publish(let number, let expires, let exchange, let key, let body):
            bytes.put(5, number)
            bytes.put(expires)
            bytes.put(text: exchange)
            bytes.put(text: key)
            bytes.append(contentsOf: body)
        case .acknowledge(let number): bytes.put(6, number)
        case .delete(let number, let queue):
            bytes.put(7, number)
            bytes.put(text: queue)
        case .confirm(let number): bytes.put(8, number)
        case .refuse(let number, let reason, let message):
            bytes.put(9, number)
            bytes.append(reason.rawValue)
            bytes.put(text: message)
        case .deliver(let number, let tag, let expires, let isRedelivered, let body):
            bytes.put(10, number)
            bytes.put(tag)
            bytes.put(expires)
            bytes.append(isRedelivered ? 1 : 0)
            bytes.append(contentsOf: body)
        }
        let length = UInt32(bytes.count - start - 4)
        for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32(index))) }
    }

    /// Reads what follows the length field.
    ///
    /// - Throws: `badMessage` for a kind that does not exist, or too few bytes.
    package init(content: ArraySlice<UInt8>) throws(MessagingError) {
        var reader = HubFrameReader(bytes: content)
        let kind: UInt8 = try reader.integer()
        let number: UInt64 = try reader.integer()
        switch kind {
        case 1: self = .hello(number: number, version: try reader.integer(), name: try reader.text())
        case 2:
            let isTransient = try reader.flag()
            self = .declare(
                number: number, queue: try reader.text(), fanout: try reader.text(), isTransient: isTransient)
        case 3: self = .consume(number: number, tag: try reader.integer(), queue: try reader.text())
        case 4: self = .cancel(number: number, tag: try reader.integer())
        case 5:
            self = .publish(
                number: number, expires: try reader.integer(), exchange: try reader.text(), key: try reader.text(),
                body: reader.rest()
            )
        case 6: self = .acknowledge(number: number)
        case 7: self = .delete(number: number, queue: try reader.text())
        case 8: self = .confirm(number: number)
        case 9:
            let reason = Refusal(rawValue: try reader.integer()) ?? .invalid
            self = .refuse(number: number, reason: reason, message: try reader.text())
        case 10:
            self = .deliver(
                number: number, tag: try reader.integer(), expires: try reader.integer(),
                isRedelivered: try reader.flag(), body: reader.rest()
            )
        default: throw MessagingError(.badMessage, "the bus sent a frame of unknown kind \(kind)")
        }
    }
}

private struct HubFrameReader {
    var bytes: ArraySlice<UInt8>

    mutating func integer<Value: FixedWidthInteger & UnsignedInteger>() throws(MessagingError) -> Value {
        let size = Value.bitWidth / 8
        guard bytes.count >= size else { throw MessagingError(.badMessage, "the bus sent a frame that is too short") }
        let value = bytes.prefix(size).reduce(Value(0)) { Value(truncatingIfNeeded: UInt64($0) << 8) | Value($1) }
        bytes = bytes.dropFirst(size)
        return value
    }

    mutating func flag() throws(MessagingError) -> Bool {
        let byte: UInt8 = try integer()
        return byte != 0
    }

    mutating func text() throws(MessagingError) -> String {
        let count: UInt16 = try integer()
        guard bytes.count >= Int(count), let text = String(validating: bytes.prefix(Int(count)), as: UTF8.self) else {
            throw MessagingError(.badMessage, "the bus sent a frame with a broken text")
        }
        bytes = bytes.dropFirst(Int(count))
        return text
    }

    mutating func rest() -> [UInt8] {
        defer { bytes = [] }
        return Array(bytes)
    }
}

extension [UInt8] {
    fileprivate mutating func put(_ kind: UInt8, _ number: UInt64) {
        append(kind)
        put(number)
    }

    fileprivate mutating func put(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// At most 65,535 bytes of `text`, cut between characters.
    fileprivate mutating func put(text: String) {
        var bytes = Array(text.utf8.prefix(Int(UInt16.max)))
        if bytes.count < text.utf8.count {
            // What a cut leaves of a character is one lead byte and its continuation bytes, 10xxxxxx.
            let rest = bytes.reversed().prefix { $0 & 0xC0 == 0x80 }.count
            bytes.removeLast(rest + 1)
        }
        put(UInt16(bytes.count))
        append(contentsOf: bytes)
    }
}
