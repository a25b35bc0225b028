// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension MariaDBDatastore: DatabaseAdministration {
    func createDatabases(_ databases: [DatabaseDocument], call: Call) throws {
        for database in databases { try Names.check(database: database) }
        try administer(call) { connection in
            var made: [String] = []
            do {
                for database in databases where try create(database, connection) { made.append(database.name) }
            } catch {
                // All or none: what this call made goes again. The engine that refused may refuse this too.
                for name in made {
                    _ = try? connection.run("DROP DATABASE \(SQLText.identifier(name))", "take back database \(name)")
                }
                throw error
            }
        }
    }

    /// - Returns: Whether there was no such database.
    private func create(_ database: DatabaseDocument, _ connection: Connection) throws -> Bool {
        let known = try connection.run(
            """
            SELECT 1 FROM information_schema.SCHEMATA \
            WHERE CONVERT(SCHEMA_NAME USING utf8mb4) COLLATE utf8mb4_bin = \(SQLText.literal(database.name))
            """, "look for database \(database.name)")
        var statement = "CREATE DATABASE IF NOT EXISTS \(SQLText.identifier(database.name))"
        if let set = database.characterSet { statement += " CHARACTER SET = \(SQLText.literal(set))" }
        if let collate = database.collate { statement += " COLLATE = \(SQLText.literal(collate))" }
        try connection.run(statement, "create database \(database.name)")
        return known.isEmpty
    }

    func deleteDatabase(_ name: String, call: Call) throws {
        try Names.check(databaseName: name, action: "Database delete error: Cannot delete database: ")
        try administer(call) { connection in
            _ = try connection.run("DROP DATABASE IF EXISTS \(SQLText.identifier(name))", "delete database \(name)")
        }
    }

    func listDatabases(_ page: PageRequest, call: Call) throws -> Page<DatabaseDocument> {
        // Ordered by bytes, so that a marker means the same whatever the server's collation is.
        let name = "CONVERT(SCHEMA_NAME USING utf8mb4) COLLATE utf8mb4_bin"
        let rows = try administer(call) { connection in
            try connection.run(
                """
                SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME \
                FROM information_schema.SCHEMATA \
                WHERE LOWER(SCHEMA_NAME) NOT IN \(SQLText.list(Names.reservedDatabases))\
                \(Paging.condition(page, name)) ORDER BY \(name)\(Paging.limit(page))
                """, "list databases")
        }
        let databases = rows.compactMap { row in
            row[0].map { DatabaseDocument(name: $0, characterSet: row[1], collate: row[2]) }
        }
        return Paging.page(databases, page, marker: \.name)
    }
}

/// Pages of a statement's rows.
enum Paging {
    /// Condition that leaves out what comes before the marker.
    static func condition(_ page: PageRequest, _ expression: String) -> String {
        guard let marker = page.marker else { return "" }
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
