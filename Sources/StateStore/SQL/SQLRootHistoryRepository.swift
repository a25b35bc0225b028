// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `root_enabled_history`. Placeholders in the order of the comments.
struct RootHistoryStatements: Sendable {
    /// instance, user, created; replaces
    let record: String
    /// instance → user, created
    let find: String
    /// instance
    let clear: String
}

struct SQLRootHistoryRepository: RootHistoryRepository {
    let connection: any StateConnection
    let statements: RootHistoryStatements

    func record(instanceID: String, userID: String, now: Timestamp) throws {
        try connection.execute(statements.record, [.text(instanceID), .text(userID), SQLValue(now)])
    }

    func find(instanceID: String) throws -> (userID: String, created: Timestamp)? {
        try connection.first(statements.find, [.text(instanceID)]) { row in
            var reader = RowReader(row)
            return (userID: try reader.text(), created: try reader.time())
        }
    }

    func clear(instanceID: String) throws {
        try connection.execute(statements.clear, [.text(instanceID)])
    }
}
