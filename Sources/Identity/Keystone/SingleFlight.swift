// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Lets the first who asks for something fetch it, and everybody who asks meanwhile wait for what comes of it.
final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private typealias Outcome = Result<Value, IdentityError>

    /// Those who wait; nil resumes them to look again, for the flight they wanted to join is over.
    private let flights = Mutex<[Key: [CheckedContinuation<Outcome?, Never>]]>([:])

    /// - Parameter fetch: Must end by itself: those who wait have no deadline of their own.
    /// - Throws: What `fetch` throws, for all.
    func run(_ key: Key, _ fetch: () async throws(IdentityError) -> Value) async throws(IdentityError) -> Value {
        while true {
            let isFirst = flights.withLock { flights in
                guard flights[key] == nil else { return false }
                flights[key] = []
                return true
            }
            guard !isFirst else { return try await lead(key, fetch) }
            let outcome: Outcome? = await withCheckedContinuation { continuation in
                let isOver = flights.withLock { flights in
                    guard flights[key] != nil else { return true }
                    flights[key]?.append(continuation)
                    return false
                }
                if isOver { continuation.resume(returning: nil) }
            }
            if let outcome { return try outcome.get() }
        }
    }

    /// How many wait for somebody else's fetch of it.
    func waiting(_ key: Key) -> Int { flights.withLock { $0[key]?.count ?? 0 } }

    private func lead(
        _ key: Key, _ fetch: () async throws(IdentityError) -> Value
    ) async throws(IdentityError) -> Value {
        let outcome: Outcome
        do throws(IdentityError) { outcome = .success(try await fetch()) } catch { outcome = .failure(error) }
        let waiting = flights.withLock { $0.removeValue(forKey: key) ?? [] }
        for continuation in waiting { continuation.resume(returning: outcome) }
        return try outcome.get()
    }
}
