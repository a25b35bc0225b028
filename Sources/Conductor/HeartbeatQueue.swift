// SPDX-License-Identifier: Apache-2.0

import Logging
import StateStore

/// Heartbeats that wait to be written: while a transaction runs, the next ones gather, the newest of each instance.
///
/// Nobody waits for one to be written, and one may be lost: the guest's next one says all that it did. So the broker's queue
/// stays short for reports of which there is no second, also while the database is away.
actor HeartbeatQueue {
    struct Item: Sendable {
        var report: ServiceReport
        var sent: Double
    }

    /// At most so many in one transaction.
    private static let batch = 500
    /// At most so many are kept: more instances than one conductor is for.
    private static let limit = 200_000
    /// Under load, how long the next ones gather.
    private static let gathering = (above: 8, pause: Duration.milliseconds(50))
    private static let pauses = (first: Duration.milliseconds(200), longest: Duration.seconds(2))

    private let logger: Logger
    private let write: @Sendable ([Item]) async throws -> Void
    private var waiting: [String: Item] = [:]
    /// The instances of `waiting`, oldest first.
    private var order: [String] = []
    private var writing: Task<Void, Never>?
    private var isAway = false

    init(logger: Logger, write: @Sendable @escaping ([Item]) async throws -> Void) {
        self.logger = logger
        self.write = write
    }

    /// How many instances have one that is not written.
    var count: Int { waiting.count }

    /// Takes one to be written soon, unless a newer one of its instance is here.
    func add(_ item: Item) {
        enqueue(item)
        if writing == nil { writing = Task { await drain() } }
    }

    /// Waits until what is here is written, or the database is away.
    func flush() async {
        while writing != nil, !isAway, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(20)) }
    }

    private func enqueue(_ item: Item) {
        let id = item.report.instanceID
        if let held = waiting[id] {
            if held.sent <= item.sent { waiting[id] = item }
            return
        }
        guard order.count < Self.limit else { return }
        order.append(id)
        waiting[id] = item
    }

    private func take() -> [Item] {
        let ids = order.prefix(Self.batch)
        order.removeFirst(ids.count)
        return ids.compactMap { waiting.removeValue(forKey: $0) }
    }

    private func drain() async {
        var pause = Self.pauses.first
        while !waiting.isEmpty {
            let items = take()
            do {
                try await write(items)
                if isAway { logger.notice("heartbeats are written again", metadata: ["waiting": "\(waiting.count)"]) }
                isAway = false
                pause = Self.pauses.first
                if items.count > Self.gathering.above, waiting.count < Self.batch {
                    try? await Task.sleep(for: Self.gathering.pause)
                }
            } catch let error as StateStoreError where error.isRetryable {
                if !isAway { logger.warning("heartbeats wait", metadata: ["error": "\(error.message)"]) }
                isAway = true
                for item in items { enqueue(item) }
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, Self.pauses.longest)
            } catch {
                await writeEach(items, error)
            }
        }
        writing = nil
    }

    /// Finds out which of a batch cannot be written, and drops it.
    private func writeEach(_ items: [Item], _ error: any Error) async {
        for item in items {
            do {
                if items.count == 1 { throw error }
                try await write([item])
            } catch {
                logger.error(
                    "a heartbeat could not be written",
                    metadata: ["instance.id": "\(item.report.instanceID)", "error": "\(error)"])
            }
        }
    }
}
