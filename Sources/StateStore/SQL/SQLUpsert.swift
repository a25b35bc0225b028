// SPDX-License-Identifier: Apache-2.0

/// How a dialect stores a row under its id, whether one is there or not. A row of another id that is in the way is a conflict.
enum SQLUpsert: Sendable {
    /// id, then the other values
    case one(String)
    /// Both: the other values, then id
    case steps(update: String, insert: String)
}

extension StateConnection {
    /// - Parameter values: The id first.
    func upsert(_ statements: SQLUpsert, _ values: [SQLValue]) throws {
        switch statements {
        case .one(let statement):
            try execute(statement, values)
        case .steps(let update, let insert):
            let rotated = Array(values.dropFirst() + values.prefix(1))
            guard try execute(update, rotated) == 0 else { return }
            do {
                try execute(insert, rotated)
            } catch let error as StateStoreError where error.code == .conflict {
                // Somebody else has stored it meanwhile, or another row is in the way.
                guard try execute(update, rotated) > 0 else { throw error }
            }
        }
    }
}
