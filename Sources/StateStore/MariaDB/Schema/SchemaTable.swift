// SPDX-License-Identifier: Apache-2.0

/// A table of the schema: what a migration makes and what `trove db check` expects.
struct SchemaTable: Sendable, Hashable {
    var name: String
    var columns: [SchemaColumn]
    /// Every table has one: a cluster tells rows apart by it.
    var primaryKey: [String]
    var indexes: [SchemaIndex] = []
    var references: [SchemaReference] = []

    func statement(_ flavor: MariaDBFlavor) -> String {
        var parts = columns.map(\.definition)
        parts.append("PRIMARY KEY (\(primaryKey.map(quoted).joined(separator: ", ")))")
        parts += indexes.map(\.definition)
        parts += references.map { $0.definition(table: name) }
        return """
            CREATE TABLE IF NOT EXISTS \(quoted(name)) (\(parts.joined(separator: ", "))) \
            ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE \(flavor.collation)
            """
    }
}

struct SchemaColumn: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// At most so many characters.
        case varchar(Int)
        /// 16 MiB.
        case text
        /// 64 bits.
        case integer
        /// 0 or 1.
        case flag
        case double

        var type: String {
            switch self {
            case .varchar(let length): "varchar(\(length))"
            case .text: "mediumtext"
            case .integer: "bigint"
            case .flag: "tinyint"
            case .double: "double"
            }
        }

        var isText: Bool {
            switch self {
            case .varchar, .text: true
            default: false
            }
        }
    }

    var name: String
    var kind: Kind
    var isNullable = false
    /// A number as SQL has it.
    var defaultValue: String?
    /// Numbers rows in the order of their inserts.
    var isCounter = false
    /// What the server computes it from.
    var expression: String?

    static func key(_ name: String, _ length: Int = 64) -> SchemaColumn {
        SchemaColumn(name: name, kind: .varchar(length))
    }
    static func text(_ name: String) -> SchemaColumn { SchemaColumn(name: name, kind: .text) }
    static func integer(_ name: String) -> SchemaColumn { SchemaColumn(name: name, kind: .integer) }
    static func flag(_ name: String) -> SchemaColumn { SchemaColumn(name: name, kind: .flag) }
    static func counter(_ name: String) -> SchemaColumn {
        SchemaColumn(name: name, kind: .integer, isCounter: true)
    }

    /// 1 for the rows of an index that holds only these, NULL for all others: no product has partial indexes.
    static func mark(_ name: String, where condition: String) -> SchemaColumn {
        SchemaColumn(
            name: name, kind: .flag, isNullable: true, expression: "CASE WHEN \(condition) THEN 1 END")
    }

    var optional: SchemaColumn {
        var column = self
        column.isNullable = true
        return column
    }

    func defaulting(to value: String) -> SchemaColumn {
        var column = self
        column.defaultValue = value
        return column
    }

    var definition: String {
        if let expression { return "\(quoted(name)) \(kind.type) GENERATED ALWAYS AS (\(expression)) STORED" }
        return "\(quoted(name)) \(kind.type)" + (isNullable ? "" : " NOT NULL")
            + (defaultValue.map { " DEFAULT \($0)" } ?? "") + (isCounter ? " AUTO_INCREMENT" : "")
    }
}

struct SchemaIndex: Sendable, Hashable {
    var name: String
    var columns: [String]
    var isUnique = false

    var definition: String {
        "\(isUnique ? "UNIQUE " : "")KEY \(quoted(name)) (\(columns.map(quoted).joined(separator: ", ")))"
    }
}

/// A column whose values are ids of another table.
struct SchemaReference: Sendable, Hashable {
    var column: String
    var table: String
    var key = "id"

    func definition(table owner: String) -> String {
        """
        CONSTRAINT \(quoted(owner + "_" + column)) FOREIGN KEY (\(quoted(column))) \
        REFERENCES \(quoted(table)) (\(quoted(key)))
        """
    }
}

private func quoted(_ name: String) -> String { "`\(name)`" }
