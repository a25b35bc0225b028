// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import StateStore
import Synchronization

/// Why an operation was left though it had not ended.
enum LeaseLoss: Error {
    /// Another one has claimed it since.
    case taken
    /// It could not be renewed in time; it may be nobody's.
    case ranOut
}

/// Keeps the claim of one journal row alive while work on it goes on, and ends the work when that fails.
struct LeaseHold: Sendable {
    let store: any StateStore
    let record: JournalRecord
    let lease: Duration
    let logger: Logger
    /// When the last renewal that succeeded, or the claim, was begun: the lease holds from then on at least.
    private let renewed: Renewed

    private final class Renewed: Sendable {
        private let instant: Mutex<ContinuousClock.Instant>
        init(_ instant: ContinuousClock.Instant) { self.instant = Mutex(instant) }
        var value: ContinuousClock.Instant { instant.withLock { $0 } }
        func set(_ value: ContinuousClock.Instant) { instant.withLock { $0 = value } }
    }

    /// How soon a renewal that failed is tried again.
    private static let retryInterval = Duration.milliseconds(500)

    init(
        store: any StateStore, record: JournalRecord, lease: Duration, since claimed: ContinuousClock.Instant,
        logger: Logger
    ) {
        self.store = store
        self.record = record
        self.lease = lease
        self.logger = logger
        renewed = Renewed(claimed)
    }

    /// Runs `body` while the claim holds.
    ///
    /// - Throws: what `body` throws; `LeaseLoss`, after `body` was cancelled and has returned.
    func run(_ body: @Sendable @escaping () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask { try await renew() }
            group.addTask { try await watch() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func renew() async throws {
        var pause = lease / 3
        while true {
            try await Task.sleep(for: pause)
            let began = ContinuousClock.now
            do {
                let (id, fence, lease) = (record.id, record.fence, lease)
                try await store.write(.relaxed) { transaction in
                    try transaction.journal.renew(id, fence: fence, until: transaction.now + lease)
                }
                renewed.set(began)
                pause = lease / 3
            } catch let error as StateStoreError where error.code == .conflict || error.code == .notFound {
                throw LeaseLoss.taken
            } catch {
                if pause == lease / 3 {
                    logger.warning("the operation's lease could not be renewed", metadata: ["error": "\(error)"])
                }
                pause = min(Self.retryInterval, lease / 6)
            }
        }
    }

    /// Ends in time also when a renewal hangs.
    private func watch() async throws {
        while true {
            let end = renewed.value + lease
            guard end > .now else { throw LeaseLoss.ranOut }
            try await Task.sleep(until: end, clock: .continuous)
        }
    }
}
