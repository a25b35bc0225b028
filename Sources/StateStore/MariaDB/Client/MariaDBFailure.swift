// SPDX-License-Identifier: Apache-2.0

/// What a server or its client library reported. The cause of a `StateStoreError`.
struct MariaDBFailure: Error, Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// What a failure means for the transaction it happened in.
    enum Effect: Sendable {
        /// The statement alone failed.
        case statement
        /// The server has undone the transaction, or it must be undone; repeating it may help.
        case transaction
        /// There is no connection any more.
        case connection
        /// The server is there and does not take the transaction: read-only, not a ready member of its cluster, or stopping.
        case server
    }

    /// CR_OUT_OF_MEMORY, CR_SSL_CONNECTION_ERROR and CR_PARAMS_NOT_BOUND of the library.
    static let (outOfMemory, tls, notBound) = (UInt32(2008), UInt32(2026), UInt32(2031))

    /// Below 2000 and above 2999 the server's, else the library's.
    var number: UInt32
    /// As reported; may quote what was written, so it is not printed.
    var text: String

    var description: String { "server error \(number)" }
    var debugDescription: String { description }

    /// Source: MariaDB Server, "Error codes"; MySQL 8, "Server error message reference".
    var effect: Effect {
        switch number {
        // CR_SERVER_GONE_ERROR, CR_SERVER_LOST, CR_MALFORMED_PACKET, CR_SERVER_LOST_EXTENDED, CR_ERR_NET_READ; the server's
        // ER_NET_READ_ERROR and its siblings, ER_CONNECTION_KILLED, ER_CLIENT_INTERACTION_TIMEOUT.
        case 2006, 2013, 2014, 2027, 2055, 5013, 5014, 1158...1161, 1184, 1927, 4031: .connection
        // ER_SERVER_SHUTDOWN, ER_UNKNOWN_COM_ERROR of a cluster's member that is not ready, ER_OPTION_PREVENTS_STATEMENT,
        // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, ER_READ_ONLY_MODE.
        case 1053, 1047, 1290, 1792, 1836: .server
        // ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, ER_CHECKREAD, ER_XA_RBDEADLOCK.
        case 1205, 1213, 1020, 1614: .transaction
        default: .statement
        }
    }
}

extension StateStoreError {
    /// - Parameter database: The database's name, for errors that name a table.
    init(_ failure: MariaDBFailure, database: String) {
        let number = "(server error \(failure.number))"
        let (code, message): (Code, String) =
            switch failure.number {
            case 1062:
                (.conflict, "A row contradicts what is stored: it has the same \(failure.key) as another \(number).")
            case 1216, 1452:
                (.notFound, "A row refers to one that does not exist \(number).")
            case 1217, 1451:
                (.conflict, "Another row refers to the row \(number).")
            case 1048, 1264, 1265, 1364, 1366, 1406, 3819, 4025:
                // The text quotes the value.
                (.conflict, "A value does not fit into its column \(number).")
            case 1146:
                (
                    .schema,
                    "The table \(failure.table ?? "of a statement") is missing from the database \(database); "
                        + "run 'trove db check', then 'trove db upgrade'."
                )
            case 1054, 1064, 1072, 1091, 1176:
                (
                    .schema,
                    "A statement does not fit the schema of the database \(database), run 'trove db check': "
                        + "\(failure.text) \(number)."
                )
            case 1205: (.busy, "A row stayed locked by another transaction for too long \(number).")
            case 1213, 1020, 1614: (.busy, "Other transactions were in the way again and again \(number).")
            case 1021, 1041, 1114, 1037, 3: (.full, "The database server has no room left \(number).")
            case 1034, 1194, 1195, 1712, 126, 127:
                (.corrupt, "The database server says that a table is damaged \(number); restore it from a backup.")
            case 1044, 1142, 1143, 1227:
                (.unavailable, "The database account lacks a privilege: \(failure.text) \(number).")
            case 1290, 1792, 1836:
                (
                    .unavailable,
                    "The database server is read-only \(number); it cannot store anything until it is promoted."
                )
            case 1047: (.unavailable, "The database server is no ready member of its cluster \(number).")
            default: (.unavailable, "The database server failed: \(failure.text) \(number).")
            }
        self.init(code, message, cause: failure)
    }
}

extension MariaDBFailure {
    /// Of "Duplicate entry '…' for key 'name'", the last part.
    fileprivate var key: String { quoted(after: "for key ") ?? "key" }

    /// Of "Table 'database.name' doesn't exist", the name.
    fileprivate var table: String? {
        guard let name = quoted(after: "Table ") else { return nil }
        return name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name
    }

    /// The last text in single quotes behind `words`.
    private func quoted(after words: String) -> String? {
        guard let start = text.ranges(of: words + "'").last?.upperBound,
            let end = text[start...].firstIndex(of: "'")
        else { return nil }
        return String(text[start..<end])
    }
}
