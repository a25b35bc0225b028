// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `instance_faults`. Placeholders in the order of the comments.
struct FaultStatements: Sendable {
    /// instance, message, details, created, updated
    let save: String
    /// instance → the columns of `save`
    let find: String
    /// instance
    let clear: String
}

struct SQLFaultRepository: FaultRepository {
    let connection: any StateConnection
    let statements: FaultStatements

    func save(_ record: FaultRecord) throws {
        try connection.execute(
            statements.save,
            [
                .text(record.instanceID), .message(record.message, limit: 255), .message(record.details),
                SQLValue(record.created), SQLValue(record.updated),
            ]
        )
    }

    func find(instanceID: String) throws -> FaultRecord? {
        try connection.first(statements.find, [.text(instanceID)]) { row in
            var reader = RowReader(row)
            var record = FaultRecord(
                instanceID: try reader.text(), message: try reader.text(), details: try reader.optionalText(),
                created: try reader.time()
            )
            record.updated = try reader.time()
            return record
        }
    }

    func clear(instanceID: String) throws {
        try connection.execute(statements.clear, [.text(instanceID)])
    }
}
