// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

@Suite("Instances in the state store")
struct InstanceRepositoryTests {
    private let later = Fixture.start + .seconds(5)

    @Test("what is inserted is found, member by member", arguments: Driver.allCases)
    func roundTrip(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            var record = Fixture.instance("i1")
            record.serverID = "server-1"
            record.address = "127.0.0.9"
            record.volumeUsedBytes = 1 << 40
            record.taskStarted = Fixture.start
            let stored = record
            let found = try await fixture.store.write(.durable) { transaction in
                try transaction.instances.insert(stored)
                return try transaction.instances.find("i1")
            }
            #expect(found == stored)
            let missing = try await fixture.store.read { try $0.instances.find("i2") }
            #expect(missing == nil)
        }
    }

    @Test("a zero byte is refused, and an id with one finds nothing", arguments: Driver.allCases)
    func zeroBytes(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
            #expect(try await fixture.store.read { try $0.instances.find("i1\u{0}x") } == nil)
            await #expect {
                try await fixture.store.write(.relaxed) {
                    try $0.instances.setName("i1", to: "a\u{0}b", now: Fixture.start)
                }
            } throws: { has(.conflict)($0) }
        }
    }

    @Test("a name may hold quotes, control characters, emoji", arguments: Driver.allCases)
    func hostileText(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            var record = Fixture.instance("i1")
            record.name = "Robert'); DROP TABLE instances;-- \u{1F6A2} \u{7F}\n \"%_\\"
            let stored = record
            try await fixture.store.write(.relaxed) { try $0.instances.insert(stored) }
            let found = try await fixture.store.read { try $0.instances.find("i1") }
            #expect(found?.name == stored.name)
        }
    }

    @Test("the same id twice is a conflict, an unknown datastore version is not found", arguments: Driver.allCases)
    func constraints(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
            await #expect {
                try await fixture.store.write(.relaxed) { try $0.instances.insert(Fixture.instance("i1")) }
            } throws: { has(.conflict)($0) }
            await #expect {
                try await fixture.store.write(.relaxed) { transaction in
                    var record = Fixture.instance("i2")
                    record.datastoreVersionID = "nothing"
                    try transaction.instances.insert(record)
                }
            } throws: { has(.notFound)($0) }
        }
    }

    @Test("a summary carries datastore, running backup and fault", arguments: Driver.allCases)
    func summary(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let fault = FaultRecord(instanceID: "i1", message: "no room", details: "trace", created: Fixture.start)
            let (plain, full, ended) = try await fixture.store.write(.relaxed) { transaction in
                try transaction.instances.insert(Fixture.instance("i1"))
                let plain = try transaction.instances.summary("i1")
                try transaction.faults.save(fault)
                try transaction.backups.insert(Fixture.backup("b1"))
                let full = try transaction.instances.summary("i1")
                try transaction.backups.failRunning(instanceID: "i1", now: Fixture.start)
                return (plain, full, try transaction.instances.summary("i1"))
            }
            #expect(plain?.datastoreName == "alpha")
            #expect(plain?.datastoreVersionName == "1.2")
            #expect(plain?.datastoreVersionNumber == "1.2.3")
            #expect(plain?.backupIsRunning == false)
            #expect(plain?.fault == nil)
            #expect(full?.backupIsRunning == true)
            #expect(full?.fault == fault)
            #expect(ended?.backupIsRunning == false)
            #expect(try await fixture.store.read { try $0.instances.summary("i2") } == nil)
        }
    }

    @Test(
        "pages follow each other by id, within a project or over all, without deleted rows", arguments: Driver.allCases)
    func pages(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                for number in 10..<20 {
                    let project = number % 2 == 0 ? "project-a" : "project-b"
                    try transaction.instances.insert(Fixture.instance("i\(number)", project: project))
                }
                try transaction.instances.markDeleted("i12", now: Fixture.start)
            }
            try await fixture.store.read { transaction throws in
                func ids(_ project: String?, _ marker: String?, _ limit: Int) throws -> [String] {
                    try transaction.instances.page(projectID: project, after: marker, limit: limit).map(\.instance.id)
                }
                #expect(try ids("project-a", nil, 2) == ["i10", "i14"])
                #expect(try ids("project-a", "i14", 2) == ["i16", "i18"])
                #expect(try ids("project-a", "i18", 2) == [])
                #expect(try ids("project-b", nil, 100) == ["i11", "i13", "i15", "i17", "i19"])
                #expect(try ids(nil, "i17", 100) == ["i18", "i19"])
                #expect(try ids(nil, nil, 3) == ["i10", "i11", "i13"])
                #expect(try ids(nil, nil, 0) == [])
                #expect(try ids(nil, nil, -1) == [])
                #expect(try transaction.instances.all().count == 9)
            }
        }
    }

    @Test("pages of administrators have deleted rows, the last change first", arguments: Driver.allCases)
    func managedPages(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                for number in 10..<20 {
                    let project = number % 2 == 0 ? "project-a" : "project-b"
                    try transaction.instances.insert(Fixture.instance("i\(number)", project: project))
                    try transaction.instances.setName(
                        "i\(number)", to: "n", now: Fixture.start + .seconds(number == 15 ? 99 : number))
                }
                for id in ["i12", "i19"] { try transaction.instances.markDeleted(id, now: Fixture.start) }
                try transaction.rootHistory.record(instanceID: "i12", userID: "u", now: Fixture.start)
                try transaction.faults.save(
                    FaultRecord(instanceID: "i14", message: "broken", details: nil, created: Fixture.start))
            }
            try await fixture.store.read { transaction throws in
                func ids(_ project: String?, _ isDeleted: Bool?, _ offset: Int, _ limit: Int) throws -> [String] {
                    try transaction.instances.managedPage(
                        projectID: project, isDeleted: isDeleted, offset: offset, limit: limit
                    ).map(\.summary.instance.id)
                }
                let all = ["i15", "i18", "i17", "i16", "i14", "i13", "i11", "i10", "i19", "i12"]
                #expect(try ids(nil, nil, 0, 100) == all)
                for offset in 0..<11 { #expect(try ids(nil, nil, offset, 3) == Array(all.dropFirst(offset).prefix(3))) }
                #expect(try ids(nil, false, 1, 2) == ["i18", "i17"])
                #expect(try ids(nil, true, 0, 5) == ["i19", "i12"])
                #expect(try ids("project-a", nil, 0, 100) == ["i18", "i16", "i14", "i10", "i12"])
                #expect(try ids("project-a", nil, 3, 2) == ["i10", "i12"])
                #expect(try ids("project-b", true, 0, 100) == ["i19"])
                #expect(try ids("project-b", false, 0, 1) == ["i15"])
                #expect(try ids(nil, nil, Int.max, 3) == [])
                #expect(try ids(nil, nil, -1, 0) == [])
                let page = try transaction.instances.managedPage(
                    projectID: nil, isDeleted: nil, offset: 0, limit: 100)
                for managed in page {
                    #expect(try transaction.instances.managed(managed.summary.instance.id) == managed)
                }
                #expect(page.last?.root == RootEnabling(userID: "u", created: Fixture.start))
                #expect(page.last?.summary.instance.deleted == Fixture.start && page.last?.summary.fault == nil)
                #expect(page.first?.root == nil && page.first?.summary.instance.deleted == nil)
                #expect(try transaction.instances.managed("i14")?.summary == transaction.instances.summary("i14"))
                #expect(try transaction.instances.managed("i14")?.summary.fault?.message == "broken")
                #expect(try transaction.instances.managed("none") == nil)
            }
        }
    }

    @Test("live instances are counted by project and host, and told of each", arguments: Driver.allCases)
    func counts(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                for (number, host) in ["h1", "h2", nil, "h1", "h1"].enumerated() {
                    var record = Fixture.instance("i\(number)", project: number < 2 ? "project-b" : "project-a")
                    record.computeHost = host
                    try transaction.instances.insert(record)
                }
                try transaction.instances.markDeleted("i4", now: Fixture.start)
            }
            try await fixture.store.read { transaction throws in
                let instances = transaction.instances
                #expect(try instances.countsByProject().map(\.name) == ["project-a", "project-b"])
                #expect(try instances.countsByProject().map(\.count) == [2, 2])
                #expect(try instances.ids(ofProject: "project-a") == ["i2", "i3"])
                #expect(try instances.ids(ofProject: "none") == [])
                #expect(try instances.countsByHost().map(\.name) == ["h1", "h2"])
                #expect(try instances.countsByHost().map(\.count) == [2, 1])
                #expect(try instances.summaries(ofHost: "h1") == ["i0", "i3"].compactMap { try instances.summary($0) })
                #expect(try instances.summaries(ofHost: "h3") == [])
            }
        }
    }

    @Test("outlines are the page's rows, with what a list shows of them", arguments: Driver.allCases)
    func outlines(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                for number in 10..<20 {
                    let project = number % 2 == 0 ? "project-a" : "project-b"
                    var record = Fixture.instance("i\(number)", project: project)
                    record.created = Fixture.start + .seconds(number)
                    record.task = number < 15 ? .none : .resizing
                    record.service = .healthy
                    record.serverStatus = .active
                    record.serviceUpdated = Fixture.start + .seconds(number * 2)
                    if number > 12 { record.address = "127.0.0.\(number)" }
                    if number == 14 {
                        record.access = nil
                        record.region = nil
                        record.name = "a \"name\" \u{1F6A2}"
                    }
                    try transaction.instances.insert(record)
                }
                try transaction.instances.markDeleted("i12", now: Fixture.start)
                try transaction.backups.insert(Fixture.backup("b1", instance: "i14"))
            }
            try await fixture.store.read { transaction throws in
                for (project, marker, limit) in [
                    ("project-a", nil, 100), ("project-a", "i14", 2), ("project-b", nil, 3), (nil, nil, 100),
                    (nil, "i17", 100), (nil, nil, 0), ("project-a", nil, -1),
                ] as [(String?, String?, Int)] {
                    let outlines = try transaction.instances.outlines(projectID: project, after: marker, limit: limit)
                    let page = try transaction.instances.page(projectID: project, after: marker, limit: limit)
                    #expect(outlines == page.map(\.outline))
                    let details = try transaction.instances.details(
                        projectID: project, after: marker, limit: limit, withMembers: true)
                    #expect(details == page.map(\.detail))
                }
                let outlines = try transaction.instances.outlines(projectID: "project-a", after: nil, limit: 2)
                #expect(outlines.map(\.id) == ["i10", "i14"])
                #expect(outlines.map(\.status.status) == ["ACTIVE", "BACKUP"])
                #expect(outlines.map(\.access) == [["is_public": true, "allowed_cidrs": ["10.0.0.0/8"]], nil])
                #expect(outlines.map(\.datastoreName) == ["alpha", "alpha"])
                #expect(outlines.map(\.datastoreVersionName) == ["1.2", "1.2"])
            }
        }
    }

    @Test("a task is set when it is the expected one, else a conflict names both", arguments: Driver.allCases)
    func tasks(driver: Driver) async throws {
        try await Fixture.with(driver) { [later] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                try transaction.instances.insert(Fixture.instance("i1"))
                try transaction.instances.setTask("i1", to: .none, expecting: [.building, .upgrading], now: later)
            }
            let idle = try await fixture.store.read { try $0.instances.find("i1") }
            #expect(idle?.task == InstanceTask.none)
            #expect(idle?.taskStarted == nil)
            #expect(idle?.updated == later)
            #expect(idle?.version == 1)
            await #expect {
                try await fixture.store.write(.relaxed) { transaction in
                    try transaction.instances.setTask("i1", to: .rebooting, expecting: [.building], now: later)
                }
            } throws: { error in
                has(.conflict)(error) && (error as? StateStoreError)?.message.contains("NONE, not BUILDING") == true
            }
            let busy = try await fixture.store.write(.relaxed) { transaction in
                try transaction.instances.setTask("i1", to: .rebooting, expecting: nil, now: later)
                return try transaction.instances.find("i1")
            }
            #expect(busy?.task == .rebooting)
            #expect(busy?.taskStarted == later)
        }
    }

    @Test("name, server and address are written, and removed by nil", arguments: Driver.allCases)
    func fields(driver: Driver) async throws {
        try await Fixture.with(driver) { [later] fixture in
            let (set, removed) = try await fixture.store.write(.relaxed) { transaction in
                let instances = transaction.instances
                try instances.insert(Fixture.instance("i1"))
                try instances.setName("i1", to: "new", now: later)
                try instances.setServer("i1", serverID: "s", status: .active, address: "127.0.0.2", now: later)
                let set = try instances.find("i1")
                try instances.setServer("i1", serverID: nil, status: .deleted, address: nil, now: later)
                return (set, try instances.find("i1"))
            }
            #expect(set?.name == "new")
            #expect(set?.serverID == "s")
            #expect(set?.serverStatus == .active)
            #expect(set?.address == "127.0.0.2")
            #expect(set?.version == 2)
            #expect(removed?.serverID == nil)
            #expect(removed?.address == nil)
            #expect(removed?.serverStatus == .deleted)
        }
    }

    @Test("saving what somebody else changed meanwhile is a conflict and writes nothing", arguments: Driver.allCases)
    func optimisticVersion(driver: Driver) async throws {
        try await Fixture.with(driver) { [later] fixture in
            let read = try await fixture.store.write(.relaxed) { transaction in
                try transaction.instances.insert(Fixture.instance("i1"))
                return try #require(try transaction.instances.find("i1"))
            }
            let saved = try await fixture.store.write(.relaxed) { transaction in
                var record = read
                record.flavorID = "2"
                record.access = nil
                return try transaction.instances.save(record, now: later)
            }
            #expect(saved.version == 1)
            #expect(try await fixture.store.read { try $0.instances.find("i1") } == saved)
            await #expect {
                try await fixture.store.write(.relaxed) { transaction in
                    var record = read
                    record.flavorID = "3"
                    _ = try transaction.instances.save(record, now: later)
                }
            } throws: { has(.conflict)($0) }
            #expect(try await fixture.store.read { try $0.instances.find("i1") } == saved)
        }
    }

    @Test(
        "heartbeats keep a known volume, and leave RESTART_REQUIRED and deleted rows alone", arguments: Driver.allCases)
    func heartbeats(driver: Driver) async throws {
        try await Fixture.with(driver) { [later] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                for id in ["i1", "i2", "i3"] { try transaction.instances.insert(Fixture.instance(id)) }
                try transaction.instances.setService("i2", to: .restartRequired, heartbeat: Fixture.start)
                try transaction.instances.markDeleted("i3", now: Fixture.start)
                func report(_ id: String, _ bytes: Int?) -> ServiceReport {
                    ServiceReport(instanceID: id, status: .healthy, heartbeat: later, volumeUsedBytes: bytes)
                }
                let reports = [
                    report("i1", 77), report("i1", nil), report("i2", 5), report("i3", 5), report("gone", 5),
                ]
                #expect(try transaction.instances.setServices(reports) == ["i1"])
                #expect(try transaction.instances.setServices(reports) == [])
                #expect(try transaction.instances.setServices([]) == [])
            }
            try await fixture.store.read { transaction throws in
                let first = try transaction.instances.find("i1")
                #expect(first?.service == .healthy)
                #expect(first?.serviceUpdated == later)
                #expect(first?.volumeUsedBytes == 77)
                #expect(first?.version == 0)
                let second = try transaction.instances.find("i2")
                #expect(second?.service == .restartRequired)
                #expect(second?.serviceUpdated == Fixture.start)
                #expect(try transaction.instances.find("i3") == nil)
            }
        }
    }

    @Test("a deleted instance is gone from every read and refuses every write", arguments: Driver.allCases)
    func deletion(driver: Driver) async throws {
        try await Fixture.with(driver) { [later] fixture in
            try await fixture.store.write(.relaxed) { transaction in
                try transaction.instances.insert(Fixture.instance("i1"))
                try transaction.instances.markDeleted("i1", now: later)
            }
            try await fixture.store.read { transaction throws in
                #expect(try transaction.instances.find("i1") == nil)
                #expect(try transaction.instances.summary("i1") == nil)
                #expect(try transaction.instances.page(projectID: nil, after: nil, limit: 9).isEmpty)
                #expect(try transaction.instances.all().isEmpty)
            }
            let stored = try await fixture.rows(
                """
                SELECT deleted, deleted_at, task_id, status_id FROM instances
                JOIN service_statuses ON instance_id = instances.id
                """, columns: 4)
            #expect(stored == [[1, .int(later.microseconds), 1, 5]])
            let writes: [@Sendable (any InstanceRepository) throws -> Void] = [
                { try $0.setTask("i1", to: .none, expecting: nil, now: later) },
                { try $0.setTask("i1", to: .none, expecting: [.none], now: later) },
                { try $0.setName("i1", to: "x", now: later) },
                { try $0.setServer("i1", serverID: nil, status: .active, address: nil, now: later) },
                { try $0.setService("none", to: .healthy, heartbeat: later) },
                { _ = try $0.save(Fixture.instance("i1"), now: later) },
                { try $0.markDeleted("i1", now: later) },
            ]
            for write in writes {
                await #expect {
                    try await fixture.store.write(.relaxed) { try write($0.instances) }
                } throws: { has(.notFound)($0) }
            }
        }
    }
}
