// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Notifications that were committed together with what they tell about, until they are sent.
///
/// They are values of the name `notifications`, which no plugin has: a plugin's id is a reverse domain name. Keys begin
/// with the time, so that the oldest come first.
enum Outbox {
    static let owner = "notifications"
    private static let prefix = "out/"

    struct Entry: Sendable {
        var key: String
        /// nil for what cannot be read.
        var message: NotificationMessage?
    }

    static func add(_ messages: [NotificationMessage], _ transaction: any StateTransaction) throws {
        for (index, message) in messages.enumerated() {
            _ = try transaction.pluginValues.put(
                pluginID: owner, key: key(message, index), value: message.stored.text)
        }
    }

    /// The oldest that wait.
    static func oldest(limit: Int, _ transaction: any StateTransaction) throws -> [Entry] {
        try transaction.pluginValues.list(pluginID: owner, prefix: prefix, after: nil, limit: limit).compactMap { row in
            guard let text = try transaction.pluginValues.find(pluginID: owner, key: row.key)?.value else { return nil }
            return Entry(
                key: row.key, message: (try? JSONValue(parsing: text)).flatMap(NotificationMessage.init(stored:)))
        }
    }

    static func remove(_ keys: [String], _ transaction: any StateTransaction) throws {
        for key in keys { try transaction.pluginValues.remove(pluginID: owner, key: key) }
    }

    /// Removes the oldest beyond `limit`.
    ///
    /// - Returns: How many that were; at most 1000 at once.
    static func trim(to limit: Int, _ transaction: any StateTransaction) throws -> Int {
        let excess = try transaction.pluginValues.count(pluginID: owner) - limit
        guard excess > 0 else { return 0 }
        let rows = try transaction.pluginValues.list(
            pluginID: owner, prefix: prefix, after: nil, limit: min(excess, 1000))
        try remove(rows.map(\.key), transaction)
        return rows.count
    }

    /// Shape: `out/<16 hex digits of microseconds>.<2 digits>.<message id>`; the index keeps the order of one commit.
    private static func key(_ message: NotificationMessage, _ index: Int) -> String {
        let time = String(UInt64(max(0, message.timestamp.microseconds)), radix: 16)
        let order = String(index % 100)
        return prefix + String(repeating: "0", count: 16 - time.count) + time + "."
            + (order.count < 2 ? "0" + order : order) + "." + message.id
    }
}
