// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension PostgreSQLDatastore: DatabaseAdministration {
    func createDatabases(_ databases: [DatabaseDocument], call: Call) throws {
        for database in databases { try Names.check(database: database) }
        try administer(call) { administration in
            try Owners.sweep(administration)
            try administration.allOrNone(databases, undo: { try Self.delete($0.name, administration) }) { database in
                try Self.create(database, administration)
            }
        }
    }

    /// - Returns: Whether there was no such database.
    private static func create(_ database: DatabaseDocument, _ administration: Administration) throws -> Bool {
        if let ownership = try Owners.find(database.name, administration) {
            if ownership.isAdministrators { try Owners.hand(database.name, to: ownership.owner, administration) }
            return false
        }
        let options = Encodings.options(database)
        try administration.run(
            "CREATE DATABASE \(SQLText.identifier(database.name))\(options)", "create database \(database.name)")
        do {
            guard let ownership = try Owners.find(database.name, administration) else {
                throw Owners.missing(database.name)
            }
            try Owners.hand(database.name, to: ownership.owner, administration)
        } catch {
            try? delete(database.name, administration)
            throw error
        }
        return true
    }

    func deleteDatabase(_ name: String, call: Call) throws {
        try Names.check(databaseName: name, action: "Database delete error: Cannot delete database: ")
        try administer(call) { administration in try Self.delete(name, administration) }
    }

    private static func delete(_ name: String, _ administration: Administration) throws {
        try administration.run(
            "DROP DATABASE IF EXISTS \(SQLText.identifier(name)) WITH (FORCE)", "delete database \(name)")
        try Owners.sweep(administration)
    }

    func listDatabases(_ page: PageRequest, call: Call) throws -> Page<DatabaseDocument> {
        // Ordered by bytes, so that a marker means the same whatever the server's collation is.
        let name = "datname::text COLLATE \"C\""
        let rows = try administer(call) { administration in
            try administration.run(
                """
                SELECT datname, pg_encoding_to_char(encoding), datcollate FROM pg_database \
                WHERE NOT datistemplate AND datname NOT IN \(SQLText.list(Names.reservedDatabases))\
                \(try Paging.condition(page, name)) ORDER BY \(name)\(Paging.limit(page))
                """, "list databases")
        }
        let databases = rows.compactMap { row in
            row[0].map { DatabaseDocument(name: $0, characterSet: row[1], collate: row[2]) }
        }
        return Paging.page(databases, page, marker: \.name)
    }
}
