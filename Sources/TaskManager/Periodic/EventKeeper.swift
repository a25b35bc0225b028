// SPDX-License-Identifier: Apache-2.0

package import Logging
import Model
package import StateStore

/// Removes events that are older than they are kept, and orders those that nobody follows.
package struct EventKeeper: Sendable {
    let store: any StateStore
    let retention: Duration
    let logger: Logger

    /// Rows a transaction, and transactions a sweep: what is more waits for the next one.
    package static let batch = 1000
    private static let batches = 100

    package init(store: any StateStore, retention: Duration, logger: Logger) {
        self.store = store
        self.retention = retention
        self.logger = logger
    }

    /// Looks once.
    package func sweep() async {
        do {
            try await repeatedly { try $0.events.order(limit: Self.batch) }
            let retention = retention
            try await repeatedly { transaction in
                try transaction.events.purge(before: transaction.now + (.zero - retention), limit: Self.batch)
            }
        } catch {
            logger.error("old events could not be removed", metadata: ["error": "\(error)"])
        }
    }

    private func repeatedly(_ body: @Sendable @escaping (any StateTransaction) throws -> Int) async throws {
        for _ in 0..<Self.batches {
            guard try await store.write(.relaxed, body) == Self.batch, !Task.isCancelled else { return }
        }
    }
}
