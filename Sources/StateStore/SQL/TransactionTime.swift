// SPDX-License-Identifier: Apache-2.0

import Model

/// The database's clock inside one transaction: asked when somebody wants to know, and once.
final class TransactionTime {
    private let ask: () throws -> Timestamp
    private var known: Timestamp?

    init(_ ask: @escaping () throws -> Timestamp) { self.ask = ask }

    convenience init(_ clock: any WallClock) { self.init { clock.now } }

    var now: Timestamp {
        get throws {
            if let known { return known }
            let now = try ask()
            known = now
            return now
        }
    }
}
