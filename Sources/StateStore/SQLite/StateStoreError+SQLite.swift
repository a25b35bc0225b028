// SPDX-License-Identifier: Apache-2.0

import GRDB

extension StateStoreError {
    /// Runs `body`; what SQLite reports is thrown as a `StateStoreError`, anything else as it is.
    static func translating<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw StateStoreError(error)
        }
    }

    /// Source: SQLite, "Result and Error Codes".
    init(_ error: DatabaseError) {
        let reason = "\(error.message ?? "no message") (SQLite \(error.extendedResultCode.rawValue))"
        let (code, message): (Code, String) =
            switch error.resultCode {
            case .SQLITE_FULL:
                (.full, "The state database cannot grow, free space on its file system: \(reason).")
            case .SQLITE_BUSY, .SQLITE_LOCKED:
                (.busy, "The state database is locked by another process: \(reason).")
            case .SQLITE_CORRUPT, .SQLITE_NOTADB:
                (.corrupt, "The state database is damaged, restore it from a backup: \(reason).")
            case .SQLITE_CONSTRAINT where error.extendedResultCode == .SQLITE_CONSTRAINT_FOREIGNKEY:
                (.notFound, "A row refers to one that does not exist: \(reason).")
            case .SQLITE_CONSTRAINT:
                (.conflict, "A row contradicts what is stored: \(reason).")
            case .SQLITE_ERROR:
                (.schema, "A statement does not fit the state database's schema: \(reason).")
            case .SQLITE_MISUSE:
                (.unavailable, "The state store is closed.")
            default:
                (.unavailable, "The state database cannot be used, check its file and directory: \(reason).")
            }
        self.init(code, message, cause: error)
    }
}
