// SPDX-License-Identifier: Apache-2.0

import CHiredis

/// What a command was answered with.
package enum Reply {
    case nothing
    case integer(Int64)
    case text(String)
    case error(String)
    case list([Reply])

    init(_ reply: UnsafeMutablePointer<redisReply>, _ purpose: String) throws {
        switch reply.pointee.type {
        case REDIS_REPLY_INTEGER: self = .integer(reply.pointee.integer)
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: self = .text(Self.text(reply.pointee))
        case REDIS_REPLY_ERROR: self = .error(Self.text(reply.pointee))
        case REDIS_REPLY_ARRAY:
            var items: [Reply] = []
            for index in 0..<reply.pointee.elements {
                if let item = reply.pointee.element[index] { items.append(try Reply(item, purpose)) }
            }
            self = .list(items)
        default: self = .nothing
        }
    }

    private static func text(_ reply: redisReply) -> String {
        String(decoding: UnsafeRawBufferPointer(start: reply.str, count: reply.len), as: UTF8.self)
    }

    /// The text, if it is one.
    package var textValue: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    /// The items of a list; none for anything else.
    package var items: [Reply] {
        if case .list(let items) = self { return items }
        return []
    }

    /// Whether there is nothing.
    package var isNothing: Bool {
        if case .nothing = self { return true }
        return false
    }

    /// The value after the key in a flat list of keys and values.
    package func value(_ key: String) -> Reply? {
        let items = items
        let place = stride(from: 0, to: items.count - 1, by: 2).first { items[$0].textValue == key }
        return place.map { items[$0 + 1] }
    }

    var firstError: String? {
        switch self {
        case .error(let text): text
        case .list(let items): items.lazy.compactMap(\.firstError).first
        default: nil
        }
    }
}
