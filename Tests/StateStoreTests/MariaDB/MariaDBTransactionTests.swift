// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Model
import Testing

@testable import StateStore

@Suite("Transactions on a database server")
struct MariaDBTransactionTests {
    /// The server's number of a transaction's connection.
    private static func connectionID(_ transaction: any StateTransaction) throws -> Int64 {
        let connection = try #require((transaction as? SQLTransaction)?.connection)
        return try #require(try connection.first("SELECT CONNECTION_ID()", []) { $0.int(0) })
    }

    /// Ends the transaction's connection as an operator does, and waits until it is gone.
    private static func kill(_ transaction: any StateTransaction, _ database: TestDatabase) throws {
        let id = try connectionID(transaction)
        let session = try database.administrator()
        try session.run("KILL \(id)")
        while try session.query("SELECT 1 FROM information_schema.processlist WHERE id = \(id)", [], { _ in 1 }) != [] {
        }
    }

    @Test("a connection that is lost in the middle of a transaction is replaced, and the transaction repeated whole")
    func lostConnection() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let database = try TestDatabase(name: fixture.path)
            let runs = Locked(0)
            try await fixture.store.write(.durable) { transaction in
                let run = runs.withLock { runs in
                    runs += 1
                    return runs
                }
                try transaction.instances.insert(Fixture.instance("i1"))
                if run == 1 { try Self.kill(transaction, database) }
                try transaction.instances.insert(Fixture.instance("i2"))
            }
            #expect(runs.withLock { $0 } == 2)
            #expect(try await fixture.store.read { try $0.instances.all().map(\.id) } == ["i1", "i2"])
        }
    }

    @Test("a read whose connection is lost is repeated")
    func lostRead() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let database = try TestDatabase(name: fixture.path)
            let runs = Locked(0)
            let count = try await fixture.store.read { transaction in
                let run = runs.withLock { runs in
                    runs += 1
                    return runs
                }
                if run == 1 { try Self.kill(transaction, database) }
                return try transaction.datastores.all().count
            }
            #expect(count == 1)
            #expect(runs.withLock { $0 } == 2)
        }
    }

    @Test("connections that were cut while nobody used them are replaced without anybody noticing")
    func idle() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let database = try TestDatabase(name: fixture.path)
            for number in 0..<4 {
                let session = try database.administrator()
                let ids = try session.query(
                    "SELECT id FROM information_schema.processlist WHERE db = '\(fixture.path)'", []
                ) { $0.int(0) }
                for id in ids { try session.run("KILL \(id)") }
                try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i\(number)")) }
                #expect(try await fixture.store.read { try $0.instances.all().count } == number + 1)
            }
        }
    }

    @Test(
        "a connection lost at the commit of a change is reported as unknown and not repeated; of a read it does not matter"
    )
    func inDoubt() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let database = try TestDatabase(name: fixture.path)
            let runs = Locked(0)
            await #expect {
                try await fixture.store.write(.durable) { transaction in
                    runs.withLock { $0 += 1 }
                    try transaction.instances.insert(Fixture.instance("i1"))
                    try Self.kill(transaction, database)
                }
            } throws: { error in
                has(.unavailable)(error) && (error as? StateStoreError)?.message.contains("unknown") == true
            }
            #expect(runs.withLock { $0 } == 1)
            try await fixture.store.write(.durable) { transaction in
                _ = try transaction.instances.find("i1")
                if runs.withLock({ $0 }) == 1 {
                    runs.withLock { $0 += 1 }
                    try Self.kill(transaction, database)
                }
            }
        }
    }

    @Test("two transactions that wait for each other both end, one of them repeated")
    func deadlock() async throws {
        try await Fixture.with(.mariadb) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                for id in ["i1", "i2"] { try transaction.instances.insert(Fixture.instance(id)) }
            }
            let runs = Locked(0)
            let first = DispatchSemaphore(value: 0)
            let second = DispatchSemaphore(value: 0)
            @Sendable func swap(
                _ ids: [String], _ mine: DispatchSemaphore, _ other: DispatchSemaphore, _ name: String
            ) async throws {
                try await fixture.store.write(.relaxed) { transaction in
                    runs.withLock { $0 += 1 }
                    try transaction.instances.setName(ids[0], to: name, now: Fixture.start)
                    mine.signal()
                    _ = other.wait(timeout: .now() + 0.5)
                    try transaction.instances.setName(ids[1], to: name, now: Fixture.start)
                }
            }
            async let one: Void = swap(["i1", "i2"], first, second, "one")
            async let two: Void = swap(["i2", "i1"], second, first, "two")
            _ = try await (one, two)
            #expect(runs.withLock { $0 } >= 3)
            let names = Set(try await fixture.store.read { try $0.instances.all().map(\.name) })
            #expect(names == ["one"] || names == ["two"])
        }
    }

    @Test("a body that swallows the failure that ended its transaction commits nothing of what it does afterwards")
    func swallowed() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let database = try TestDatabase(name: fixture.path)
            let runs = Locked(0)
            try await fixture.store.write(.relaxed) { transaction in
                let run = runs.withLock { runs in
                    runs += 1
                    return runs
                }
                try transaction.instances.insert(Fixture.instance("run-\(run)"))
                if run == 1 { try Self.kill(transaction, database) }
                try? transaction.instances.setName("run-\(run)", to: "renamed", now: Fixture.start)
            }
            #expect(try await fixture.store.read { try $0.instances.all().map(\.name) } == ["renamed"])
        }
    }

    @Test("a row that stays locked for longer than the time limit is busy")
    func lockWait() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let database = try TestDatabase(name: fixture.path)
            try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
            let holder = try database.administrator(fixture.path)
            try holder.run("START TRANSACTION")
            _ = try holder.query("SELECT id FROM instances WHERE id = 'i1' FOR UPDATE", []) { _ in 1 }
            let impatient = try database.open(timeout: .seconds(2))
            await #expect {
                try await impatient.write(.relaxed) {
                    try $0.instances.setName("i1", to: "new", now: Fixture.start)
                }
            } throws: { has(.busy)($0) && ($0 as? StateStoreError)?.isRetryable == true }
            // Who only reads does not wait.
            #expect(try await impatient.read { try $0.instances.find("i1") } != nil)
            try holder.run("ROLLBACK")
            try await impatient.write(.relaxed) { try $0.instances.setName("i1", to: "new", now: Fixture.start) }
            await impatient.close()
        }
    }

    @Test("the locks of a process that hangs in a transaction are given back, and its transaction is repeated whole")
    func hung() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let database = try TestDatabase(name: fixture.path)
            try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
            // Within a transaction a second of silence is too much for this one.
            let hanging = try database.open(timeout: .seconds(3))
            let runs = Locked(0)
            let holds = DispatchSemaphore(value: 0)
            let goesOn = DispatchSemaphore(value: 0)
            async let hung: Void = hanging.write(.relaxed) { transaction in
                let run = runs.withLock { runs in
                    runs += 1
                    return runs
                }
                let record = try transaction.instances.find("i1")
                if run == 1 {
                    holds.signal()
                    goesOn.wait()
                }
                try transaction.instances.setName("i1", to: (record?.name ?? "") + " again", now: Fixture.start)
            }
            await Task.detached { holds.waitForThread() }.value
            try await fixture.store.write(.relaxed) {
                try $0.instances.setName("i1", to: "meanwhile", now: Fixture.start)
            }
            goesOn.signal()
            try await hung
            #expect(runs.withLock { $0 } == 2)
            #expect(try await fixture.store.read { try $0.instances.find("i1")?.name } == "meanwhile again")
            await hanging.close()
        }
    }

    @Test("what a body decides by a row that it found holds until it commits")
    func lostUpdates() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let other = try fixture.another()
            try await fixture.store.write(.relaxed) { transaction in
                var record = Fixture.instance("i1")
                record.volumeGiB = 0
                try transaction.instances.insert(record)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    let store = number % 2 == 0 ? fixture.store : other
                    group.addTask {
                        try await store.write(.relaxed) { transaction in
                            var record = try #require(try transaction.instances.find("i1"))
                            record.volumeGiB += 1
                            _ = try transaction.instances.save(record, now: Fixture.start)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await fixture.store.read { try $0.instances.find("i1")?.volumeGiB } == 100)
            await other.close()
        }
    }

    @Test("of 300 operations each goes to one of four claimers, and never two of one instance at once")
    func claimers() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let stores = [fixture.store, try fixture.another(), try fixture.another(), try fixture.another()]
            try await fixture.store.write(.relaxed) { transaction in
                for number in 0..<300 {
                    try transaction.journal.insert(Fixture.operation("o\(number)", on: "i\(number % 100)"))
                }
            }
            let now = Fixture.start
            let running = Locked<Set<String>>([])
            let ended = Locked<[String]>([])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, store) in stores.enumerated() {
                    group.addTask {
                        var misses = 0
                        while ended.withLock({ $0.count }) < 300, misses < 1000 {
                            let row = try await store.write(.relaxed) { transaction in
                                try transaction.journal.claim(
                                    owner: "w\(index)", host: nil, lease: .seconds(30), excluding: [], stealing: [])
                            }
                            guard let row else {
                                misses += 1
                                continue
                            }
                            #expect(running.withLock { $0.insert(row.resourceID).inserted }, "two of \(row.resourceID)")
                            await Task.yield()
                            running.withLock { _ = $0.remove(row.resourceID) }
                            try await store.write(.relaxed) { transaction in
                                try transaction.journal.finish(
                                    row.id, fence: row.fence, state: .done, error: nil, now: now)
                            }
                            ended.withLock { $0.append(row.id) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let ids = ended.withLock { $0 }
            #expect(ids.count == 300)
            #expect(Set(ids).count == 300)
            for store in stores.dropFirst() { await store.close() }
        }
    }

    @Test("two conductors with the same hundreds of heartbeats accept each once")
    func conductors() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let other = try fixture.another()
            try await fixture.store.write(.relaxed) { transaction in
                for number in 0..<200 { try transaction.instances.insert(Fixture.instance("i\(number)")) }
            }
            let accepted = Locked(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<20 {
                    let store = round % 2 == 0 ? fixture.store : other
                    group.addTask {
                        let ids = (0..<200).map { "i\($0)" }.shuffled()
                        let advanced = try await store.write(.relaxed) { transaction in
                            let advanced = try transaction.conductorLastSeen.advance(
                                ids.map { LastSeenMark(instanceID: $0, method: "heartbeat", sent: Double(round / 2)) })
                            let reports = zip(ids, advanced).filter(\.1).map { id, _ in
                                ServiceReport(
                                    instanceID: id, status: .healthy, heartbeat: Fixture.start, volumeUsedBytes: nil)
                            }
                            try transaction.instances.setServices(reports)
                            return advanced
                        }
                        let count = advanced.count(where: { $0 })
                        if round < 2 { accepted.withLock { $0 += count } }
                    }
                }
                try await group.waitForAll()
            }
            #expect(accepted.withLock { $0 } <= 200)
            let marks = try await fixture.rows(
                "SELECT COUNT(*), CAST(MIN(sent) AS SIGNED) FROM conductor_lastseen", columns: 2)
            #expect(marks == [[200, 9]])
            await other.close()
        }
    }
}

extension DispatchSemaphore {
    /// For a thread that may wait.
    fileprivate func waitForThread() { wait() }
}
