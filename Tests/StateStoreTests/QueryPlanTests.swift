// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

/// Costs follow what is asked for, not what is stored: every statement on a growing table goes by an index.
@Suite("Query plans")
struct QueryPlanTests {
    private func plan(_ fixture: Fixture, _ sql: String) async throws -> String {
        try await fixture.sqlite.withReader { connection in
            let values = [SQLValue](
                repeating: .null, count: sql.split(separator: "?", omittingEmptySubsequences: false).count - 1)
            return try connection.query("EXPLAIN QUERY PLAN " + sql, values) { row in
                if case .text(let step) = row.value(3) { step } else { "" }
            }.joined(separator: "\n")
        }
    }

    @Test("a page of instances walks its index in order: no scan, no sorting")
    func instancePages() async throws {
        try await Fixture.with { fixture in
            let ofProject = try await plan(fixture, InstanceStatements.sqlite.pageOfProject)
            #expect(ofProject.contains("SEARCH i USING INDEX instances_tenant (tenant_id=? AND deleted=? AND id>?)"))
            let ofAll = try await plan(fixture, InstanceStatements.sqlite.pageOfAll)
            #expect(ofAll.contains("SEARCH i USING INDEX instances_live (deleted=? AND id>?)"))
            let outlinesOfProject = try await plan(fixture, InstanceStatements.sqlite.outlinesOfProject)
            #expect(outlinesOfProject.hasPrefix("SEARCH i USING INDEX instances_tenant (tenant_id=? AND deleted=? AND"))
            let outlinesOfAll = try await plan(fixture, InstanceStatements.sqlite.outlinesOfAll)
            #expect(outlinesOfAll.hasPrefix("SEARCH i USING INDEX instances_live (deleted=? AND id>?)"))
            let detailsOfProject = try await plan(fixture, InstanceStatements.sqlite.detailsOfProject)
            #expect(detailsOfProject.hasPrefix("SEARCH i USING INDEX instances_tenant (tenant_id=? AND deleted=? AND"))
            let detailsOfAll = try await plan(fixture, InstanceStatements.sqlite.detailsOfAll)
            #expect(detailsOfAll.hasPrefix("SEARCH i USING INDEX instances_live (deleted=? AND id>?)"))
            for text in [ofProject, ofAll, outlinesOfProject, outlinesOfAll, detailsOfProject, detailsOfAll] {
                #expect(!text.contains("SCAN"), "\(text)")
                #expect(!text.contains("TEMP B-TREE"), "\(text)")
                #expect(text.contains("SEARCH b USING INDEX backups_running (instance_id=?)"), "\(text)")
            }
        }
    }

    @Test("every page of administrators takes its ids from an index alone", arguments: [0, 1, 2, 3, 4, 5])
    func managedPages(number: Int) async throws {
        try await Fixture.with { fixture in
            let filter = ManagedInstanceStatements.Filter(
                byProject: number & 1 != 0, isDeleted: [nil, false, true][number / 2])
            let text = try await plan(fixture, InstanceStatements.sqlite.managed.page(filter))
            let index = filter.byProject ? "instances_tenant_changed (tenant_id=? AND " : "instances_changed ("
            #expect(text.contains("SEARCH instances USING COVERING INDEX \(index)deleted=?)"), "\(text)")
            // What is scanned and sorted is the page itself, or the two halves that it is made of.
            let tables = text.split(separator: "\n").filter { $0.hasPrefix("SCAN ") }
            #expect(
                tables.allSatisfy { ["SCAN p", "SCAN both_kinds", "SCAN live", "SCAN gone"].contains($0) }, "\(text)")
            for table in ["i", "s", "v", "d", "f", "r"] { #expect(text.contains("SEARCH \(table) USING"), "\(text)") }
        }
    }

    @Test("the instances of a host are found by its index, in order")
    func ofHost() async throws {
        try await Fixture.with { fixture in
            let text = try await plan(fixture, InstanceStatements.sqlite.managed.ofHost)
            #expect(text.hasPrefix("SEARCH i USING INDEX instances_host (deleted=? AND compute_host=?)"), "\(text)")
            #expect(!text.contains("SCAN") && !text.contains("TEMP B-TREE"), "\(text)")
        }
    }

    @Test("every page of backups walks an index in order", arguments: [0, 1, 2, 3, 4, 5, 6, 7])
    func backupPages(bits: Int) async throws {
        try await Fixture.with { fixture in
            let filter = BackupStatements.Filter(
                byProject: bits & 1 != 0, byInstance: bits & 2 != 0, byDatastore: bits & 4 != 0)
            let text = try await plan(fixture, BackupStatements.sqlite.page(filter))
            #expect(text.hasPrefix("SEARCH b USING INDEX backups_"), "\(text)")
            #expect(!text.contains("SCAN"), "\(text)")
            #expect(!text.contains("TEMP B-TREE"), "\(text)")
        }
    }

    @Test("the journal's work is found among live rows only")
    func journal() async throws {
        try await Fixture.with { fixture in
            let statements = JournalStatements.sqlite
            guard case .one(let claim) = statements.claim else {
                Issue.record("SQLite claims in one statement")
                return
            }
            for sql in [claim, statements.nextDue] {
                let text = try await plan(fixture, sql)
                #expect(text.contains("USING INDEX journal_live"), "\(text)")
                #expect(text.contains("SEARCH o USING INDEX journal_live_resource (resource_id=?"), "\(text)")
                #expect(!text.contains("TEMP B-TREE"), "\(text)")
            }
            #expect(
                try await plan(fixture, statements.liveOfResource).contains("journal_live_resource (resource_id=?)"))
            for sql in [statements.release, statements.hasten, statements.expired] {
                #expect(try await plan(fixture, sql).contains("journal_live"))
            }
        }
    }

    @Test("quota sums read an index alone")
    func quotas() async throws {
        try await Fixture.with { fixture in
            let instances = try await plan(fixture, QuotaStatements.sqlite.instances)
            #expect(
                instances.contains("SEARCH instances USING COVERING INDEX instances_usage (tenant_id=? AND deleted=?)"))
            #expect(!instances.contains("TEMP B-TREE"))
            #expect(
                try await plan(fixture, QuotaStatements.sqlite.backups).contains("USING COVERING INDEX backups_tenant"))
        }
    }

    @Test("statements on one row or one owner search, never scan")
    func singleRows() async throws {
        try await Fixture.with { fixture in
            let instances = InstanceStatements.sqlite
            let backups = BackupStatements.sqlite
            let journal = JournalStatements.sqlite
            let statements = [
                instances.find, instances.summary, instances.managed.find, instances.state, instances.setTask,
                instances.setTaskExpecting,
                instances.setName, instances.setServer, instances.save, instances.setService,
                instances.serviceStatuses, instances.markDeleted, backups.find, backups.children, backups.running,
                backups.update,
                backups.markDeleted, backups.failRunning, journal.find, journal.renew, journal.record, journal.postpone,
                journal.finish, journal.setInput, LedgerStatements.sqlite.strike, LedgerStatements.sqlite.strikeKinds,
                LedgerStatements.sqlite.owned, QuotaStatements.sqlite.limits, FaultStatements.sqlite.find,
                FaultStatements.sqlite.clear, RootHistoryStatements.sqlite.find, RevocationStatements.sqlite.find,
                RevocationStatements.sqlite.purge, DatastoreStatements.sqlite.version, RateBucketStatements.sqlite.lock,
                RateBucketStatements.sqlite.save, RateBucketStatements.sqlite.all, RateBucketStatements.sqlite.purge,
                IdempotencyStatements.sqlite.lock,
                IdempotencyStatements.sqlite.accept, IdempotencyStatements.sqlite.finish,
                IdempotencyStatements.sqlite.release,
                IdempotencyStatements.sqlite.purge,
            ]
            guard case .each(let heartbeat) = instances.heartbeats else {
                Issue.record("SQLite takes heartbeats one by one")
                return
            }
            for sql in statements + [heartbeat] {
                let text = try await plan(fixture, sql)
                    .replacing("SCAN json_each", with: "").replacing("SCAN j VIRTUAL", with: "")
                #expect(text.contains("SEARCH"), "\(sql)\n\(text)")
                #expect(!text.contains("SCAN"), "\(sql)\n\(text)")
                #expect(!text.contains("TEMP B-TREE"), "\(sql)\n\(text)")
            }
        }
    }

    @Test("pages of secrets and containers walk an index in order")
    func secretPages() async throws {
        try await Fixture.with { fixture in
            let secrets = SecretStatements.common
            for sql in [secrets.page, secrets.count, secrets.expired] {
                let text = try await plan(fixture, sql)
                #expect(text.contains("SEARCH secrets USING") && text.contains("secrets_tenant"), "\(sql)\n\(text)")
                #expect(!text.contains("SCAN") && !text.contains("TEMP B-TREE"), "\(sql)\n\(text)")
            }
            let containers = try await plan(fixture, secrets.containers)
            #expect(
                containers.contains("SEARCH secret_containers USING INDEX secret_containers_tenant"), "\(containers)")
            for sql in [
                secrets.find, secrets.setPayload, secrets.remove, secrets.leaveContainers, secrets.emptyContainer,
            ] {
                let text = try await plan(fixture, sql)
                #expect(text.contains("SEARCH") && !text.contains("SCAN"), "\(sql)\n\(text)")
            }
        }
    }

    @Test("a page is one statement, with faults and running backups, and the last of 20,000 costs as the first of 100")
    func pageCost() async throws {
        try await Fixture.with { fixture in
            try await insert(0..<100, into: fixture)
            let small = try await pageTime(fixture, after: nil)
            try await insert(100..<20_000, into: fixture)
            let large = try await pageTime(fixture, after: "i19900")
            #expect(large < small * 5, "\(small) with 100 rows, \(large) with 20,000")
        }
    }

    @Test("a list is one statement, however many rows it has")
    func listCost() async throws {
        try await Fixture.with { fixture in
            try await insert(0..<100, into: fixture)
            try await fixture.sqlite.withReader { connection in
                let counting = CountingConnection(connection)
                let instances = SQLInstanceRepository(connection: counting, statements: .sqlite)
                let list = try instances.outlines(projectID: "project-a", after: "i00039", limit: 20)
                #expect(list.map(\.id) == (40..<60).map { "i000\($0)" })
                #expect(list.filter(\.status.backupIsRunning).count == 2)
                #expect(counting.statements == 1)
            }
        }
    }

    private func insert(_ numbers: Range<Int>, into fixture: Fixture) async throws {
        try await fixture.store.write(.relaxed) { transaction in
            for number in numbers {
                // Five digits: the ids ascend as the numbers do.
                let id = "i\(String(number + 100_000).dropFirst())"
                try transaction.instances.insert(Fixture.instance(id))
                if number % 10 == 0 { try transaction.backups.insert(Fixture.backup("b" + id, instance: id)) }
            }
        }
    }

    /// The best of ten, so that a busy machine does not decide.
    private func pageTime(_ fixture: Fixture, after marker: String?) async throws -> Duration {
        var best = Duration.seconds(100)
        for _ in 0..<10 {
            let time = try await fixture.sqlite.withReader { connection in
                let counting = CountingConnection(connection)
                let instances = SQLInstanceRepository(connection: counting, statements: .sqlite)
                let clock = ContinuousClock()
                var page: [InstanceSummary] = []
                let time = try clock.measure {
                    page = try instances.page(projectID: "project-a", after: marker, limit: 20)
                }
                #expect(page.count == 20)
                #expect(page.filter(\.backupIsRunning).count == 2)
                #expect(counting.statements == 1)
                return time
            }
            best = min(best, time)
        }
        return best
    }
}

/// Counts the statements that go through it.
private final class CountingConnection: StateConnection {
    private let inner: any StateConnection
    private(set) var statements = 0

    init(_ inner: any StateConnection) { self.inner = inner }

    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        statements += 1
        return try inner.execute(sql, values)
    }

    func query<Value>(_ sql: String, _ values: [SQLValue], _ map: (any StateRow) throws -> Value) throws -> [Value] {
        statements += 1
        return try inner.query(sql, values, map)
    }
}
