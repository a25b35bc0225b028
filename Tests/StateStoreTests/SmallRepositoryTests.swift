// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

@Suite("Datastores, ledger, faults, root history, marks and revocations")
struct SmallRepositoryTests {
    private let later = Fixture.start + .seconds(60)

    @Test("datastores and versions are written, replaced and found by id or name")
    func datastores() async throws {
        try await Fixture.with { fixture in
            let version = DatastoreVersionRecord(
                id: "version-0", datastoreID: "datastore-0", name: "9", number: "9.1", isActive: false, packages: [],
                plugins: ["datastore": "org.example.beta", "backup": "org.example.stream@2"])
            try await fixture.store.write(.relaxed) { transaction in
                let datastores = transaction.datastores
                try datastores.upsert(DatastoreRecord(id: "datastore-0", name: "alpha-old", defaultVersionID: nil))
                try datastores.upsert(version)
                try datastores.upsert(
                    DatastoreRecord(id: "datastore-0", name: "beta", defaultVersionID: "version-0"))
                #expect(try datastores.all().map(\.name) == ["alpha", "beta"])
                #expect(try datastores.find(idOrName: "beta")?.id == "datastore-0")
                #expect(try datastores.find(idOrName: "datastore-0")?.defaultVersionID == "version-0")
                #expect(try datastores.find(idOrName: "alpha-old") == nil)
                #expect(try datastores.versions(datastoreID: "datastore-0") == [version])
                #expect(try datastores.version("version-0") == version)
                #expect(try datastores.version("version-1")?.packages == ["alpha-server=1.2", "alpha-tools"])
                #expect(try datastores.allVersions().map(\.id) == ["version-0", "version-1"])
                var active = version
                active.isActive = true
                try datastores.upsert(active)
                #expect(try datastores.version("version-0") == active)
            }
            await #expect {
                try await fixture.store.write(.relaxed) { transaction in
                    try transaction.datastores.upsert(DatastoreRecord(id: "x", name: "alpha", defaultVersionID: nil))
                }
            } throws: { has(.conflict)($0) }
        }
    }

    @Test("a name that is another datastore's id finds the id")
    func datastoreByIDFirst() async throws {
        try await Fixture.with { fixture in
            let found = try await fixture.store.write(.relaxed) { transaction in
                try transaction.datastores.upsert(
                    DatastoreRecord(id: "a", name: "datastore-1", defaultVersionID: nil))
                return try transaction.datastores.find(idOrName: "datastore-1")
            }
            #expect(found?.name == "alpha")
        }
    }

    @Test("ledger entries are written once and struck by tag or by owner")
    func ledger() async throws {
        try await Fixture.with { fixture in
            func entry(_ kind: String, _ tag: String, _ owner: String) -> LedgerEntry {
                LedgerEntry(kind: kind, tag: tag, ownerID: owner, created: Fixture.start)
            }
            let entries = [entry("image", "i1", "i1"), entry("mount", "i1", "i1"), entry("mount", "i2", "i2")]
            try await fixture.store.write(.durable) { transaction in
                let ledger = transaction.ledger
                try ledger.add(entries)
                try ledger.add([entries[0], LedgerEntry(kind: "mount", tag: "i1", ownerID: "other", created: later)])
                #expect(try ledger.all() == entries)
                #expect(try ledger.owned(by: "i1") == Array(entries.prefix(2)))
                try ledger.strike(kind: "mount", tag: "i1")
                try ledger.strike(kind: "mount", tag: "nothing")
                #expect(try ledger.owned(by: "i1") == [entries[0]])
                try ledger.add(entries)
                try ledger.strike(ownerID: "i1", kinds: ["mount", "image", "loop"])
                #expect(try ledger.all() == [entries[2]])
                try ledger.strike(ownerID: "i2", kinds: [])
                #expect(try ledger.all() == [entries[2]])
            }
        }
    }

    @Test("a fault is cut at 255 characters, replaced and cleared")
    func faults() async throws {
        try await Fixture.with { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                try transaction.instances.insert(Fixture.instance("i1"))
                let faults = transaction.faults
                try faults.save(
                    FaultRecord(
                        instanceID: "i1", message: String(repeating: "ä", count: 300), details: "d",
                        created: Fixture.start))
                #expect(try faults.find(instanceID: "i1")?.message.count == 255)
                let second = FaultRecord(instanceID: "i1", message: "second", details: nil, created: later)
                try faults.save(second)
                #expect(try faults.find(instanceID: "i1") == second)
                try faults.clear(instanceID: "i1")
                #expect(try faults.find(instanceID: "i1") == nil)
            }
        }
    }

    @Test("what an engine said is kept even with zero bytes, cut by code points")
    func hostileFault() async throws {
        try await Fixture.with { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                try transaction.instances.insert(Fixture.instance("i1"))
                // One visible character of 300 code points.
                let message = "e" + String(repeating: "\u{301}", count: 299)
                try transaction.faults.save(
                    FaultRecord(instanceID: "i1", message: message, details: "a\u{0}b", created: Fixture.start))
                let fault = try transaction.faults.find(instanceID: "i1")
                #expect(fault?.message.unicodeScalars.count == 255)
                #expect(fault?.details == "a\u{FFFD}b")
            }
        }
    }

    @Test("root history keeps the last one who enabled it")
    func rootHistory() async throws {
        try await Fixture.with { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let history = transaction.rootHistory
                #expect(try history.find(instanceID: "i1") == nil)
                try history.record(instanceID: "i1", userID: "u1", now: Fixture.start)
                try history.record(instanceID: "i1", userID: "u2", now: later)
                let found = try history.find(instanceID: "i1")
                #expect(found?.userID == "u2")
                #expect(found?.created == later)
                try history.clear(instanceID: "i1")
                #expect(try history.find(instanceID: "i1") == nil)
            }
        }
    }

    @Test("a mark moves forward only, for each instance and method alone")
    func lastSeen() async throws {
        try await Fixture.with { fixture in
            try await fixture.store.write(.relaxed) { transaction throws in
                let seen = transaction.conductorLastSeen
                #expect(try seen.advance(instanceID: "i1", method: "heartbeat", sent: 10.5))
                #expect(try !seen.advance(instanceID: "i1", method: "heartbeat", sent: 10.5))
                #expect(try !seen.advance(instanceID: "i1", method: "heartbeat", sent: 9))
                #expect(try seen.advance(instanceID: "i1", method: "heartbeat", sent: 10.500001))
                #expect(try seen.advance(instanceID: "i1", method: "update_backup", sent: 1))
                #expect(try seen.advance(instanceID: "i2", method: "heartbeat", sent: 1))
            }
        }
    }

    @Test("a revoked token stays revoked until it would have expired")
    func revocations() async throws {
        try await Fixture.with { fixture in
            try await fixture.store.write(.durable) { transaction in
                let revocations = transaction.revocations
                try revocations.revoke(tokenDigest: "a", expires: later)
                try revocations.revoke(tokenDigest: "b", expires: Fixture.start)
                try revocations.revoke(tokenDigest: "a", expires: Fixture.start)
                #expect(try revocations.all() == ["a", "b"])
                try revocations.purge(now: Fixture.start)
                #expect(try revocations.isRevoked(tokenDigest: "a"))
                #expect(try !revocations.isRevoked(tokenDigest: "b"))
                try revocations.purge(now: later)
                #expect(try revocations.all().isEmpty)
            }
        }
    }
}
