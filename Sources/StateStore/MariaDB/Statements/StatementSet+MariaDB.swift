// SPDX-License-Identifier: Apache-2.0

extension StatementSet {
    /// MariaDB 10.6 or MySQL 8.0 and later (JSON_TABLE, SKIP LOCKED).
    ///
    /// - Parameter writing: Whether rows that are found by id are locked until the transaction's end. On one SQLite file all
    ///   writers come one after the other; here whoever decides by what he found must find that nobody changes it.
    static func mariadb(_ flavor: MariaDBFlavor, writing: Bool) -> StatementSet {
        switch (flavor, writing) {
        case (.mariadb, false): readingMariaDB
        case (.mariadb, true): writingMariaDB
        case (.mysql, false): readingMySQL
        case (.mysql, true): writingMySQL
        }
    }

    private static let readingMariaDB = make(JSONList(flavor: .mariadb), locks: false)
    private static let writingMariaDB = make(JSONList(flavor: .mariadb), locks: true)
    private static let readingMySQL = make(JSONList(flavor: .mysql), locks: false)
    private static let writingMySQL = make(JSONList(flavor: .mysql), locks: true)

    private static func make(_ list: JSONList, locks: Bool) -> StatementSet {
        StatementSet(
            instances: .mariadb(list, locks: locks), backups: .mariadb(locks: locks), datastores: .mariadb,
            journal: .mariadb(list, locks: locks), ledger: .mariadb(list), quotas: .mariadb, faults: .mariadb,
            rootHistory: .mariadb, lastSeen: .mariadb(list), revocations: .mariadb, pluginValues: .mariadb,
            leases: .mariadb, rateBuckets: .mariadb(locks: locks),
            idempotencyKeys: .mariadb(locks: locks),
            configurations: .mariadb(locks: locks), parameters: .common,
            clusters: .make(texts: list.texts, locks: locks), modules: .mariadb(locks: locks),
            events: .mariadb(list, locks: locks), secrets: .common
        )
    }
}

/// A JSON array in a placeholder as a table, so that a statement's text does not depend on how many values it has.
struct JSONList: Sendable {
    let flavor: MariaDBFlavor

    /// The table, under a name.
    ///
    /// - Parameter columns: Names, types, and where each is in an item of the array.
    func table(_ name: String, _ columns: (String, SchemaColumn.Kind, path: String)...) -> String {
        let list = columns.map { column, kind, path in
            // As the columns that it is compared with, or the server refuses to mix.
            let collation = kind.isText ? " CHARACTER SET utf8mb4 COLLATE \(flavor.collation)" : ""
            return "\(column) \(kind.type)\(collation) PATH '\(path)'"
        }
        return "JSON_TABLE(?, '$[*]' COLUMNS (\(list.joined(separator: ", ")))) \(name)"
    }

    var texts: String { "(SELECT item FROM \(table("list", ("item", .varchar(512), "$"))))" }
    var integers: String { "(SELECT item FROM \(table("list", ("item", .integer, "$"))))" }
}
