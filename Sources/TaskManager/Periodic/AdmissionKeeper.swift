// SPDX-License-Identifier: Apache-2.0

package import Logging
import Model
package import StateStore

/// Removes what API processes leave behind in the state store when its time is over.
package struct AdmissionKeeper: Sendable {
    let store: any StateStore
    let logger: Logger

    /// A bucket has long leaked by then, and its leases have expired.
    private static let bucketAge = Duration.seconds(3600)
    /// As long as answers are kept.
    private static let keyAge = Duration.seconds(24 * 3600)
    /// Rows a transaction, and transactions a sweep: what is more waits for the next one.
    package static let batch = 500
    private static let batches = 40

    package init(store: any StateStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Looks once.
    package func sweep() async {
        do {
            try await purge { transaction in
                try transaction.rateBuckets.purge(
                    before: transaction.now + (.zero - Self.bucketAge), limit: Self.batch)
            }
            try await purge { transaction in
                try transaction.idempotencyKeys.purge(
                    before: transaction.now + (.zero - Self.keyAge), limit: Self.batch)
            }
        } catch {
            logger.error("what is over could not be removed", metadata: ["error": "\(error)"])
        }
    }

    private func purge(_ body: @Sendable @escaping (any StateTransaction) throws -> Int) async throws {
        for _ in 0..<Self.batches {
            guard try await store.write(.relaxed, body) == Self.batch, !Task.isCancelled else { return }
        }
    }
}
