// SPDX-License-Identifier: Apache-2.0

import StateStore

/// Heartbeats that wait for one write: while a transaction runs, the next ones gather, the newest of each instance.
actor HeartbeatQueue {
    struct Item: Sendable {
        var report: ServiceReport
        var sent: Double
    }

    private let write: @Sendable ([Item]) async throws -> Void
    private var waiting: [String: (item: Item, continuations: [CheckedContinuation<Void, any Error>])] = [:]
    private var isWriting = false

    init(write: @Sendable @escaping ([Item]) async throws -> Void) { self.write = write }

    /// Returns once the heartbeat (or a newer one of the same instance) is written.
    func add(_ item: Item) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let id = item.report.instanceID
            if let held = waiting[id] {
                waiting[id] = (held.item.sent > item.sent ? held.item : item, held.continuations + [continuation])
            } else {
                waiting[id] = (item, [continuation])
            }
            if !isWriting {
                isWriting = true
                Task { await self.drain() }
            }
        }
    }

    private func drain() async {
        while !waiting.isEmpty {
            let batch = Array(waiting.values)
            waiting = [:]
            do {
                try await write(batch.map(\.item))
                for entry in batch { for continuation in entry.continuations { continuation.resume() } }
            } catch {
                for entry in batch { for continuation in entry.continuations { continuation.resume(throwing: error) } }
            }
        }
        isWriting = false
    }
}
