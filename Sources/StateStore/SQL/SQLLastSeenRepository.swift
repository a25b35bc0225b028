// SPDX-License-Identifier: Apache-2.0

/// Statements on `conductor_lastseen`. Placeholders in the order of the comments.
struct LastSeenStatements: Sendable {
    /// instance, method, sent; changes no row unless `sent` is newer
    let advance: String
}

struct SQLLastSeenRepository: LastSeenRepository {
    let connection: any StateConnection
    let statements: LastSeenStatements

    func advance(instanceID: String, method: String, sent: Double) throws -> Bool {
        try connection.execute(statements.advance, [.text(instanceID), .text(method), .double(sent)]) > 0
    }
}
