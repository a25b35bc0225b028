// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The administrator at work for one call.
struct Administration {
    let connection: Connection
    private let session: Session
    private let password: String
    let call: Call

    init(connection: Connection, session: Session, password: String, call: Call) {
        self.connection = connection
        self.session = session
        self.password = password
        self.call = call
    }

    /// Runs statements, several as one transaction.
    @discardableResult
    func run(_ statement: String, _ purpose: String) throws -> [[String?]] {
        try connection.run(statement, purpose, call: call)
    }

    /// Runs statements in another database.
    func run(in database: String, _ statement: String, _ purpose: String) throws {
        try session.run(in: database, password: password, call: call) { connection in
            _ = try connection.run(statement, purpose, call: call)
        }
    }

    /// Runs `body` for each item; if it fails, `undo` for those that it made, the last first: all or none.
    func allOrNone<Item>(
        _ items: [Item], undo: (Item) throws -> Void, _ body: (Item) throws -> Bool
    ) throws {
        var made: [Item] = []
        do {
            for item in items where try body(item) { made.append(item) }
        } catch {
            // The engine that refused may refuse this too; the first reason is the one to tell.
            for item in made.reversed() { try? undo(item) }
            throw error
        }
    }
}

/// Pages of a statement's rows.
enum Paging {
    /// Condition that leaves out what comes before the marker.
    static func condition(_ page: PageRequest, _ expression: String) throws -> String {
        guard let marker = page.marker else { return "" }
        guard !marker.utf8.contains(0) else {
            throw PluginFailure(.invalidArgument, "A marker must not have a NUL.")
        }
        return " AND \(expression) \(page.includesMarker ? ">=" : ">") \(SQLText.literal(marker))"
    }

    /// One row more than asked for: it tells whether there is a next page.
    static func limit(_ page: PageRequest) -> String {
        page.limit.map { " LIMIT \(min($0, 1_000_000) + 1)" } ?? ""
    }

    /// Cuts the row too many and names the marker of the next page.
    static func page<Item>(_ items: [Item], _ page: PageRequest, marker: (Item) -> String) -> Page<Item> {
        guard let limit = page.limit, items.count > limit else { return Page(items: items, next: nil) }
        let kept = Array(items.prefix(limit))
        return Page(items: kept, next: kept.last.map(marker))
    }
}
