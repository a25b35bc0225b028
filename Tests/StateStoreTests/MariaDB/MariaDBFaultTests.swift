// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

@testable import StateStore

/// A server of its own, which is killed, halted and made read-only.
@Suite("Faults of a database server (Serial)", .serialized, .timeLimit(.minutes(3)))
struct MariaDBFaultTests {
    private static let kept = Result { try Nodes([.mariadb]) }

    /// A store on a migrated database of this suite's server, healed before and after.
    private func with(
        timeout: Duration = .seconds(3), _ body: (Nodes, TestDatabase, MariaDBStateStore) async throws -> Void
    ) async throws {
        let nodes = try Self.kept.get()
        try nodes.heal()
        let database = try await TestDatabase.new(on: nodes)
        _ = try await database.schema.upgrade()
        let store = try database.open(timeout: timeout)
        try await store.write(.relaxed) { transaction in
            try transaction.datastores.upsert(DatastoreRecord(id: "d", name: "d", defaultVersionID: nil))
        }
        do {
            try await body(nodes, database, store)
        } catch {
            try nodes.heal()
            await store.close()
            throw error
        }
        try nodes.heal()
        await store.close()
    }

    /// How long it takes until `work` succeeds; its failures must be ones that can be retried.
    private func recovery(_ work: () async throws -> Void) async throws -> Duration {
        let clock = ContinuousClock()
        let start = clock.now
        while true {
            do {
                try await work()
                return clock.now - start
            } catch let error as StateStoreError where error.isRetryable && clock.now - start < .seconds(20) {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func write(_ store: MariaDBStateStore, _ name: String) async throws {
        try await store.write(.durable) { transaction in
            try transaction.datastores.upsert(DatastoreRecord(id: "d", name: name, defaultVersionID: nil))
        }
    }

    @Test("while the server is dead everybody is told at once, and within five seconds of its return all goes on")
    func killed() async throws {
        try await with { nodes, _, store in
            for round in 0..<2 {
                try nodes.kill(.mariadb)
                let clock = ContinuousClock()
                let start = clock.now
                for _ in 0..<40 {
                    await #expect {
                        try await store.read { try $0.datastores.all() }
                    } throws: { error in
                        has(.unavailable)(error) && (error as? StateStoreError)?.isRetryable == true
                    }
                    await #expect { try await write(store, "lost") } throws: { has(.unavailable)($0) }
                }
                // Not the three seconds of the time limit each.
                #expect(clock.now - start < .seconds(60))
                try nodes.start(.mariadb)
                let time = try await recovery { try await write(store, "round \(round)") }
                #expect(time < .seconds(5), "\(time)")
                #expect(try await store.read { try $0.datastores.all().map(\.name) } == ["round \(round)"])
            }
        }
    }

    @Test("transactions that run while the server restarts are stored once or reported")
    func restartUnderLoad() async throws {
        try await with { nodes, database, store in
            let stop = Locked(false)
            let stored = Locked<Set<String>>([])
            let unknown = Locked<Set<String>>([])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        var number = 0
                        while !stop.withLock({ $0 }) {
                            number += 1
                            let id = "o-\(worker)-\(number)"
                            do {
                                try await store.write(.durable) { transaction in
                                    try transaction.journal.insert(Fixture.operation(id, on: id))
                                    try transaction.ledger.add([
                                        LedgerEntry(kind: "k", tag: id, ownerID: id, created: Fixture.start)
                                    ])
                                }
                                stored.withLock { _ = $0.insert(id) }
                            } catch let error as StateStoreError where error.isRetryable {
                                if error.message.contains("unknown") { unknown.withLock { _ = $0.insert(id) } }
                                try await Task.sleep(for: .milliseconds(10))
                            }
                        }
                    }
                }
                for _ in 0..<3 {
                    try await Task.sleep(for: .milliseconds(300))
                    try nodes.kill(.mariadb)
                    try nodes.start(.mariadb)
                }
                _ = try await recovery { try await write(store, "up") }
                stop.withLock { $0 = true }
                try await group.waitForAll()
            }
            let rows = try await store.read { transaction in
                (
                    Set(try transaction.journal.live(resourceID: nil).map(\.id)),
                    Set(try transaction.ledger.all().map(\.tag))
                )
            }
            #expect(rows.0 == rows.1)
            let (known, maybe) = (stored.withLock { $0 }, unknown.withLock { $0 })
            #expect(known.count > 10)
            #expect(known.isSubset(of: rows.0))
            #expect(rows.0.subtracting(known).isSubset(of: maybe))
        }
    }

    @Test("a server that halts is given up after the time limit, and used again when it goes on")
    func halted() async throws {
        try await with(timeout: .seconds(1)) { nodes, _, store in
            try nodes.freeze(.mariadb)
            let clock = ContinuousClock()
            let start = clock.now
            await #expect {
                try await store.read { try $0.datastores.all() }
            } throws: { has(.unavailable)($0) }
            #expect(clock.now - start < .seconds(20))
            try nodes.thaw(.mariadb)
            let time = try await recovery { try await write(store, "thawed") }
            #expect(time < .seconds(5), "\(time)")
        }
    }

    @Test("a read-only server refuses what writes, serves what reads, and is used again when it is promoted")
    func readOnly() async throws {
        try await with { _, database, store in
            try database.administer("SET GLOBAL read_only = 1")
            await #expect { try await write(store, "refused") } throws: { error in
                has(.unavailable)(error) && (error as? StateStoreError)?.message.contains("read-only") == true
            }
            #expect(try await store.read { try $0.datastores.all().map(\.name) } == ["d"])
            try database.administer("SET GLOBAL read_only = 0")
            try await write(store, "promoted")
            #expect(try await store.read { try $0.datastores.all().map(\.name) } == ["promoted"])
        }
    }

    @Test("of two hosts the one that has become read-only is left for the other, and when both are nobody is taken")
    func failover() async throws {
        try await with { _, first, _ in
            // The suite's shared server stands for the one that is promoted; both know one account.
            let second = try await TestDatabase.new()
            let name = "trove_failover_\(UUID().uuidString.prefix(8).lowercased())"
            for database in [first, second] {
                try database.administer(
                    "CREATE DATABASE \(name)", "CREATE OR REPLACE USER failover IDENTIFIED BY 'failover'",
                    "GRANT ALL PRIVILEGES ON \(name).* TO failover")
                _ = try await TestDatabase(name: name, nodes: database.nodes).schema.upgrade()
            }
            let ports = try [first, second].map { try $0.nodes.port("mariadb", "port") }
            let configuration = StateStoreConfiguration(
                url: "mariadb://failover@127.0.0.1:\(ports[0]),127.0.0.1:\(ports[1])/\(name)",
                password: Secret("failover"), tls: .off, poolSize: 2, timeout: .seconds(3))
            guard case .server(let server) = try StateStorePlace(configuration.url) else { return }
            let store = MariaDBStateStore(configuration, server, clock: nil, logger: TestDatabase.silent)
            func names(_ database: TestDatabase) throws -> [String] {
                try database.administrator(name).query("SELECT name FROM datastores", []) { $0.text(0) }
            }
            try await write(store, "first")
            #expect(try names(first) == ["first"])
            try first.administer("SET GLOBAL read_only = 1")
            try await write(store, "second")
            #expect(try (names(first), names(second)) == (["first"], ["second"]))
            for _ in 0..<8 { #expect(try await store.read { try $0.datastores.all().map(\.name) } == ["second"]) }
            await store.close()
            await #expect {
                let alone = StateStoreConfiguration(
                    url: "mariadb://failover@127.0.0.1:\(ports[0]),127.0.0.1:1/\(name)", password: Secret("failover"),
                    tls: .off, timeout: .seconds(3))
                _ = try await StateStoreFactory.open(alone, logger: TestDatabase.silent)
            } throws: { error in
                has(.unavailable)(error) && (error as? StateStoreError)?.message.contains("read-only") == true
            }
            try first.administer("SET GLOBAL read_only = 0")
        }
    }
}
