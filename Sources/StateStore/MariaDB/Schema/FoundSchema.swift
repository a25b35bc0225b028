// SPDX-License-Identifier: Apache-2.0

/// The tables that a database has, as the server describes them.
struct FoundSchema {
    struct Column: Hashable {
        var type: String
        var isNullable: Bool
        var collation: String?
        var isCounter: Bool
        var isGenerated: Bool
        var hasDefault: Bool
    }

    struct Index: Hashable {
        var columns: [String]
        var isUnique: Bool
    }

    struct Table {
        var engine: String
        var columns: [String: Column] = [:]
        var indexes: [String: Index] = [:]
        var references: Set<SchemaReference> = []
    }

    private(set) var tables: [String: Table] = [:]

    init(_ connection: any StateConnection) throws {
        let rows = try connection.query(
            """
            SELECT table_name, engine FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
            """, []
        ) { row in (row.text(0), row.text(1)) }
        for (name, engine) in rows { tables[name] = Table(engine: engine) }
        try readColumns(connection)
        try readIndexes(connection)
        try readReferences(connection)
    }

    private mutating func readColumns(_ connection: any StateConnection) throws {
        let rows = try connection.query(
            """
            SELECT table_name, column_name, column_type, is_nullable, collation_name, extra, column_default
            FROM information_schema.columns WHERE table_schema = DATABASE()
            """, []
        ) { row in
            let extra = row.text(5).lowercased()
            let column = Column(
                type: Self.plain(row.text(2)), isNullable: row.text(3) == "YES",
                collation: row.kind(4) == .null ? nil : row.text(4), isCounter: extra.contains("auto_increment"),
                isGenerated: extra.contains("generated"), hasDefault: row.kind(6) != .null)
            return (row.text(0), row.text(1), column)
        }
        for (table, name, column) in rows { tables[table]?.columns[name] = column }
    }

    /// Without the display width that some servers still add to integers, as in `bigint(20)`.
    private static func plain(_ type: String) -> String {
        type.contains("int(") ? String(type.prefix { $0 != "(" }) : type
    }

    private mutating func readIndexes(_ connection: any StateConnection) throws {
        let rows = try connection.query(
            """
            SELECT table_name, index_name, non_unique, column_name FROM information_schema.statistics
            WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index
            """, []
        ) { row in (row.text(0), row.text(1), row.int(2) == 0, row.text(3)) }
        for (table, name, isUnique, column) in rows {
            tables[table]?.indexes[name, default: Index(columns: [], isUnique: isUnique)].columns.append(column)
        }
    }

    private mutating func readReferences(_ connection: any StateConnection) throws {
        let rows = try connection.query(
            """
            SELECT table_name, column_name, referenced_table_name, referenced_column_name
            FROM information_schema.key_column_usage
            WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL
            """, []
        ) { row in (row.text(0), SchemaReference(column: row.text(1), table: row.text(2), key: row.text(3))) }
        for (table, reference) in rows { tables[table]?.references.insert(reference) }
    }
}

extension FoundSchema {
    /// What is not as `expected`, a sentence each. More indexes, and more columns that nobody has to fill, do no harm.
    func differences(_ expected: SchemaTable, _ flavor: MariaDBFlavor) -> [String] {
        let name = expected.name
        guard let table = tables[name] else { return ["Table \(name) is missing."] }
        var result: [String] = []
        if table.engine.lowercased() != "innodb" { result.append("Table \(name) is in \(table.engine), not InnoDB.") }
        result += expected.columns.compactMap { column in
            Self.difference(column, table.columns[column.name], flavor).map { "Column \(name).\($0)" }
        }
        let known = Set(expected.columns.map(\.name))
        for (extra, column) in table.columns.sorted(by: { $0.key < $1.key })
        where !known.contains(extra) && !column.isNullable && !column.hasDefault && !column.isGenerated {
            result.append("Column \(name).\(extra) is not part of the schema and has no default.")
        }
        let primary = SchemaIndex(name: "PRIMARY", columns: expected.primaryKey, isUnique: true)
        for index in [primary] + expected.indexes {
            guard let found = table.indexes[index.name] else {
                result.append("Index \(index.name) of \(name) is missing.")
                continue
            }
            guard found.columns != index.columns || found.isUnique != index.isUnique else { continue }
            let kind = found.isUnique ? "unique on" : "on"
            result.append(
                "Index \(index.name) of \(name) is \(kind) \(found.columns.joined(separator: ", ")), not "
                    + "\(index.isUnique ? "unique " : "")on \(index.columns.joined(separator: ", ")).")
        }
        for reference in expected.references where !table.references.contains(reference) {
            result.append("The reference of \(name).\(reference.column) to \(reference.table) is missing.")
        }
        return result
    }

    private static func difference(_ expected: SchemaColumn, _ found: Column?, _ flavor: MariaDBFlavor) -> String? {
        guard let found else { return "\(expected.name) is missing." }
        let type = expected.kind.type
        if found.type != type { return "\(expected.name) is \(found.type), not \(type)." }
        if found.isNullable != expected.isNullable {
            return "\(expected.name) may \(found.isNullable ? "" : "not ")be NULL."
        }
        if expected.kind.isText, found.collation != flavor.collation {
            return "\(expected.name) compares as \(found.collation ?? "nothing"), not as \(flavor.collation)."
        }
        if found.isCounter != expected.isCounter {
            return "\(expected.name) \(found.isCounter ? "counts" : "does not count") by itself."
        }
        if found.isGenerated != (expected.expression != nil) {
            return "\(expected.name) is \(found.isGenerated ? "" : "not ")computed."
        }
        return nil
    }
}
