// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import Conductor

@Suite("HeartbeatQueue")
struct HeartbeatQueueTests {
    /// What a write was given, and how it goes.
    private final class Writer: Sendable {
        private struct State {
            var batches: [[HeartbeatQueue.Item]] = []
            var error: StateStoreError?
            var poison: String?
        }

        private let state = Mutex(State())
        var batches: [[HeartbeatQueue.Item]] { state.withLock { $0.batches } }
        func fail(_ error: StateStoreError?) { state.withLock { $0.error = error } }
        func refuse(_ id: String) { state.withLock { $0.poison = id } }

        func write(_ items: [HeartbeatQueue.Item]) async throws {
            try await Task.sleep(for: .milliseconds(50))
            try state.withLock { state in
                if let error = state.error { throw error }
                if let poison = state.poison, items.contains(where: { $0.report.instanceID == poison }) {
                    throw StateStoreError(.corrupt, "refused")
                }
                state.batches.append(items)
            }
        }
    }

    private func item(_ id: String, _ sent: Double, _ status: ServiceStatus = .healthy) -> HeartbeatQueue.Item {
        HeartbeatQueue.Item(
            report: ServiceReport(
                instanceID: id, status: status, heartbeat: Timestamp(seconds: sent), volumeUsedBytes: nil), sent: sent)
    }

    private func queue(_ writer: Writer) -> HeartbeatQueue {
        HeartbeatQueue(logger: Crew.logger) { try await writer.write($0) }
    }

    @Test("while one transaction runs the next ones gather, bounded, the newest of each instance")
    func batches() async throws {
        let writer = Writer()
        let queue = queue(writer)
        await queue.add(item("first", 1))
        for sent in [2.0, 4, 3] { await queue.add(item("i0", sent)) }
        for number in 1..<1200 { await queue.add(item("i\(number)", 1)) }
        await queue.flush()
        let sizes = writer.batches.map(\.count)
        #expect(sizes.reduce(0, +) == 1201)
        #expect(sizes.max() == 500 && sizes.count <= 5)
        #expect(writer.batches.joined().filter { $0.report.instanceID == "i0" }.map(\.sent) == [4])
    }

    @Test(
        "nobody waits while the database is away; what was the newest is written when it is there",
        .timeLimit(.minutes(1)))
    func away() async throws {
        let writer = Writer()
        let queue = queue(writer)
        writer.fail(StateStoreError(.unavailable, "away"))
        for sent in 1...20 { await queue.add(item("i1", Double(sent))) }
        await queue.add(item("i2", 1))
        while await queue.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        await queue.flush()
        try await Task.sleep(for: .milliseconds(500))
        #expect(writer.batches.isEmpty)
        writer.fail(nil)
        let mended = ContinuousClock.now
        while writer.batches.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        #expect(mended.duration(to: .now) < .seconds(5))
        await queue.flush()
        #expect(Set(writer.batches.joined().map { "\($0.report.instanceID) \($0.sent)" }) == ["i1 20.0", "i2 1.0"])
    }

    @Test("one that cannot be written takes no other with it")
    func poison() async throws {
        let writer = Writer()
        let queue = queue(writer)
        writer.refuse("bad")
        for id in ["a", "bad", "b"] { await queue.add(item(id, 1)) }
        await queue.flush()
        #expect(Set(writer.batches.joined().map(\.report.instanceID)) == ["a", "b"])
    }
}
