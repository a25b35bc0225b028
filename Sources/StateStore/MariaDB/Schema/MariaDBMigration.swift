// SPDX-License-Identifier: Apache-2.0

/// One step of the schema on a database server. A released migration never changes; a later one corrects it.
///
/// A server commits each change by itself, so every change is one that sees whether it has been made already: an interrupted
/// migration is simply run again.
struct MariaDBMigration: Sendable {
    enum Change: Sendable, Hashable {
        case create(SchemaTable)
        /// Nullable or with a default, so that processes of the release before go on.
        case addColumn(table: String, SchemaColumn)
        case addIndex(table: String, SchemaIndex)
    }

    /// The same as that of SQLite's migration of this name.
    let number: Int
    let name: String
    let changes: [Change]
    /// The oldest schema whose programs may work, and be started, on this one; nil: that before it, so that the processes of two
    /// releases run side by side while one takes over from the other.
    var compatibleFrom: Int?

    var oldestProgram: Int { compatibleFrom ?? number - 1 }

    /// Every migration of the driver, ascending.
    static let all: [MariaDBMigration] = [
        .firstRelease, .pluginValues, .sharedWork, .admission, .management, .configurationGroups,
        .clusters, .modules, .operationEvents, .engineTLS, .secrets,
    ]
}

extension [MariaDBMigration] {
    /// What the migrations up to `number` make.
    func tables(upTo number: Int) -> [SchemaTable] {
        var tables: [SchemaTable] = []
        for change in filter({ $0.number <= number }).flatMap(\.changes) {
            switch change {
            case .create(let table): tables.append(table)
            case .addColumn(let name, let column):
                if let index = tables.firstIndex(where: { $0.name == name }) { tables[index].columns.append(column) }
            case .addIndex(let name, let added):
                if let index = tables.firstIndex(where: { $0.name == name }) { tables[index].indexes.append(added) }
            }
        }
        return tables
    }
}
