// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

@Suite("Datastores, ledger, faults, root history, marks and revocations")
struct SmallRepositoryTests {
    private let later = Fixture.start + .seconds(60)

    @Test("datastores and versions are written, replaced and found by id or name", arguments: Driver.allCases)
    func datastores(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
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

    @Test(
        "what is removed is found no more, its names are free, and what had it still says so",
        arguments: Driver.allCases)
    func removal(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let datastores = transaction.datastores
                var version = try #require(try datastores.version(Fixture.versionID))
                version.manager = "alpha"
                version.imageID = "image"
                version.imageTags = ["one", "two"]
                version.registryExtension = "r"
                version.replicationStrategy = "s"
                version.sourceFile = "alpha.yaml"
                try datastores.upsert(version)
                #expect(try datastores.version(Fixture.versionID) == version)
                #expect(try datastores.users(ofVersion: version.id) == DatastoreVersionUse())
                try transaction.instances.insert(Fixture.instance("i1"))
                #expect(try datastores.users(ofVersion: version.id) == DatastoreVersionUse(instances: true))
                try transaction.instances.markDeleted("i1", now: Fixture.start)
                try transaction.backups.insert(Fixture.backup("b1"))
                #expect(try datastores.users(ofVersion: version.id) == DatastoreVersionUse(backups: true))
                try transaction.backups.markDeleted("b1", now: Fixture.start)
                try transaction.configurations.insert(
                    ConfigurationRecord(
                        id: "c1", name: "c", description: nil, projectID: "p", datastoreVersionID: version.id,
                        created: Fixture.start))
                #expect(try datastores.users(ofVersion: version.id) == DatastoreVersionUse(configurations: true))
                try transaction.configurations.markDeleted("c1", now: Fixture.start)
                #expect(try datastores.users(ofVersion: version.id) == DatastoreVersionUse())

                try datastores.removeVersion(version.id)
                #expect(try datastores.version(version.id) == nil)
                #expect(try datastores.versions(datastoreID: version.datastoreID).isEmpty)
                #expect(try datastores.allVersions().isEmpty)
                #expect(try datastores.find(idOrName: "alpha")?.defaultVersionID == nil)
                #expect(throws: StateStoreError.self) { try datastores.removeVersion(version.id) }
                #expect(try transaction.instances.managed("i1")?.summary.datastoreVersionName == "1.2")
                version.id = "version-2"
                try datastores.upsert(version)
                #expect(try datastores.version("version-2") == version)
                try datastores.removeVersion("version-2")

                #expect(try datastores.removedID(name: "alpha") == nil)
                try datastores.remove("datastore-1")
                #expect(try datastores.all().isEmpty)
                #expect(try datastores.find(idOrName: "alpha") == nil)
                #expect(try datastores.removedID(name: "alpha") == "datastore-1")
                #expect(throws: StateStoreError.self) { try datastores.remove("datastore-1") }
                try datastores.upsert(DatastoreRecord(id: "datastore-1", name: "alpha", defaultVersionID: nil))
                #expect(try datastores.find(idOrName: "alpha")?.id == "datastore-1")
                #expect(try datastores.removedID(name: "alpha") == nil)
            }
        }
    }

    @Test("a name that is another datastore's id finds the id", arguments: Driver.allCases)
    func datastoreByIDFirst(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let found = try await fixture.store.write(.relaxed) { transaction in
                try transaction.datastores.upsert(
                    DatastoreRecord(id: "a", name: "datastore-1", defaultVersionID: nil))
                return try transaction.datastores.find(idOrName: "datastore-1")
            }
            #expect(found?.name == "alpha")
        }
    }

    @Test("ledger entries are written once and struck by tag or by owner", arguments: Driver.allCases)
    func ledger(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
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

    @Test("a fault is cut at 255 characters, replaced and cleared", arguments: Driver.allCases)
    func faults(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
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

    @Test("what an engine said is kept even with zero bytes, cut by code points", arguments: Driver.allCases)
    func hostileFault(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
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

    @Test("root history keeps the last one who enabled it", arguments: Driver.allCases)
    func rootHistory(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
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

    @Test("a mark moves forward only, for each instance and method alone", arguments: Driver.allCases)
    func lastSeen(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
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

    @Test(
        "a batch of marks is told mark by mark which are newer, against what is stored and against each other",
        arguments: Driver.allCases)
    func lastSeenBatch(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            @Sendable func mark(_ id: String, _ sent: Double, _ method: String = "heartbeat") -> LastSeenMark {
                LastSeenMark(instanceID: id, method: method, sent: sent)
            }
            try await fixture.store.write(.relaxed) { transaction throws in
                let seen = transaction.conductorLastSeen
                #expect(try seen.advance([]) == [])
                #expect(try seen.advance([mark("i2", 1_600_000_000.123456), mark("i1", 3)]) == [true, true])
                let second = try seen.advance([
                    mark("i1", 3), mark("i1", 5), mark("i3", 0), mark("i1", 4), mark("i2", 1_600_000_000.123456),
                    mark("i1", 6, "update_backup"), mark("i1", 5.5), mark("i2", 1_600_000_000.123457),
                ])
                #expect(second == [false, true, true, false, false, true, true, true])
            }
            try await fixture.store.write(.relaxed) { transaction throws in
                let marks = (0..<500).map { mark("i\($0)", 5.5) }
                let advanced = try transaction.conductorLastSeen.advance(marks)
                #expect(advanced.indices.filter { !advanced[$0] } == [1, 2])
            }
        }
    }

    @Test("a revoked token stays revoked until it would have expired", arguments: Driver.allCases)
    func revocations(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
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
