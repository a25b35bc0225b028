// SPDX-License-Identifier: Apache-2.0

package import Logging
import Model
import Synchronization

/// A state store that can be waited for: while the database is away, what is asked of it waits.
///
/// It waits until its task is cancelled, for an operation when its lease is lost. A commit whose answer was
/// lost is made again, so transactions must bear that; those of steps do, and those on the journal are fenced.
package final class PatientStateStore: StateStore {
    private let store: any StateStore
    private let logger: Logger
    private let waits = Mutex(Waits())

    private struct Waits {
        var total = Duration.zero
        /// Since when each call that waits now does.
        var current: [UInt64: ContinuousClock.Instant] = [:]
        var next: UInt64 = 0
    }

    /// The first pause and the longest.
    private static let pauses = (first: Duration.milliseconds(100), longest: Duration.seconds(1))

    package init(_ store: any StateStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// How long calls have waited for the database, all together.
    package var waited: Duration {
        waits.withLock { waits in
            waits.current.values.reduce(waits.total) { $0 + $1.duration(to: .now) }
        }
    }

    package func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        try await waiting { try await self.store.read(body) }
    }

    package func write<Value: Sendable>(
        _ durability: Durability, _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        try await waiting { try await self.store.write(durability, body) }
    }

    package func close() async { await store.close() }

    private func waiting<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let error as StateStoreError where error.isRetryable {
            logger.warning("waiting for the state store", metadata: ["error": "\(error.message)"])
        }
        let id = began()
        defer { ended(id) }
        var pause = Self.pauses.first
        while true {
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.pauses.longest)
            do {
                return try await work()
            } catch let error as StateStoreError where error.isRetryable {
                continue
            }
        }
    }

    private func began() -> UInt64 {
        waits.withLock { waits in
            waits.next += 1
            waits.current[waits.next] = .now
            return waits.next
        }
    }

    private func ended(_ id: UInt64) {
        waits.withLock { waits in
            guard let since = waits.current.removeValue(forKey: id) else { return }
            waits.total += since.duration(to: .now)
        }
    }
}
