// SPDX-License-Identifier: Apache-2.0

/// Which SQL a server speaks where the two products differ.
enum MariaDBFlavor: Sendable, Hashable {
    case mariadb
    case mysql

    /// Compares byte by byte, trailing spaces too, as SQLite does.
    var collation: String {
        switch self {
        case .mariadb: "utf8mb4_nopad_bin"
        case .mysql: "utf8mb4_0900_bin"
        }
    }
}

/// What a server says about itself.
struct MariaDBFacts: Sendable, Hashable {
    var flavor: MariaDBFlavor
    /// As the server has it, e.g. `10.11.19-MariaDB-0+deb12u1`.
    var version: String
    var isReadOnly: Bool
    /// Of a Galera cluster.
    var isClusterMember: Bool
    /// Whether a commit is on the disk when it returns.
    var isDurable: Bool

    private static let names = [
        "version", "read_only", "innodb_read_only", "super_read_only", "wsrep_on", "innodb_flush_log_at_trx_commit",
    ]

    init(_ session: MariaDBSession) throws(MariaDBFailure) {
        let list = Self.names.map { "'\($0)'" }.joined(separator: ", ")
        var values: [String: String] = [:]
        do {
            let rows = try session.query("SHOW GLOBAL VARIABLES WHERE Variable_name IN (\(list))", []) { row in
                (row.text(0).lowercased(), row.text(1))
            }
            for (name, value) in rows { values[name] = value }
        } catch let failure as MariaDBFailure {
            throw failure
        } catch {
            throw MariaDBFailure(number: 0, text: "the server's variables cannot be read")
        }
        func isOn(_ name: String) -> Bool { Self.isOn(values[name] ?? "") }
        version = values["version"] ?? ""
        flavor = version.lowercased().contains("mariadb") ? .mariadb : .mysql
        isReadOnly = isOn("read_only") || isOn("innodb_read_only") || isOn("super_read_only")
        isClusterMember = isOn("wsrep_on")
        isDurable = values["innodb_flush_log_at_trx_commit"] == "1"
    }

    /// Whether the server is read-only by now.
    static func isReadOnly(_ session: MariaDBSession) throws -> Bool {
        let sql = "SELECT @@global.read_only, @@global.innodb_read_only"
        return try session.query(sql, []) { row in
            (0..<2).contains { column in
                switch row.value(column) {
                case .int(let number): number != 0
                case .text(let text): isOn(text)
                default: false
                }
            }
        }.first ?? false
    }

    private static func isOn(_ value: String) -> Bool { !["", "0", "OFF"].contains(value.uppercased()) }

    /// Why this driver does not work with the server: JSON_TABLE and SKIP LOCKED came with these releases.
    var refusal: String? {
        let oldest = flavor == .mariadb ? [10, 6] : [8, 0]
        let numbers = version.prefix { $0 != "-" }.split(separator: ".").prefix(2).map { Int($0) ?? 0 }
        guard numbers.lexicographicallyPrecedes(oldest) else { return nil }
        return "release \(version) is too old, MariaDB 10.6 or MySQL 8.0 is needed"
    }
}
