// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

/// Costs follow what is asked for, not what is stored, on a database server too: counted in rows that the server touches.
@Suite("Query plans on a database server")
struct MariaDBQueryPlanTests {
    /// How many rows the server has read since the session began, by any way.
    private static func rowsRead(_ connection: MariaDBConnection) throws -> Int {
        try connection.query(
            "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' AND Variable_name <> 'Handler_read_retry'", []
        ) { row in Int(row.text(1)) ?? 0 }.reduce(0, +)
    }

    /// Rows that `body` makes the server read.
    private static func cost(
        _ fixture: Fixture, _ body: @Sendable @escaping (SQLTransaction) throws -> Void
    ) async throws -> Int {
        try await fixture.mariadb.withConnection { connection in
            let transaction = SQLTransaction(
                connection: connection, statements: connection.statements(writing: false),
                time: TransactionTime { Fixture.start })
            // Once to prepare and to read the tables' descriptions.
            try body(transaction)
            let none = try rowsRead(connection)
            let some = try rowsRead(connection) - none
            let before = try rowsRead(connection)
            try body(transaction)
            return try rowsRead(connection) - before - some
        }
    }

    /// Five digits: the ids ascend as the numbers do.
    private static func insert(_ numbers: ClosedRange<Int>, into fixture: Fixture) async throws {
        let source = "FROM seq_\(100_000 + numbers.lowerBound)_to_\(100_000 + numbers.upperBound)"
        let id = "CONCAT('i', SUBSTR(seq, 2))"
        try await fixture.mariadb.withConnection { connection in
            for statement in [
                """
                INSERT INTO instances (id, name, tenant_id, flavor_id, volume_size, datastore_version_id, created,
                    updated, task_id, server_status, plugins)
                SELECT \(id), 'name', 'project-a', '1', 2, 'version-1', 1, 1, 1, 'ACTIVE', '{}' \(source)
                """,
                """
                INSERT INTO service_statuses (instance_id, status_id, status_description, updated_at)
                SELECT \(id), 1, 'running', 1 \(source)
                """,
                """
                INSERT INTO backups (id, name, tenant_id, instance_id, state, datastore_version_id, created, updated)
                SELECT CONCAT('b', seq), 'name', 'project-a', \(id), 'NEW', 'version-1', seq, seq
                \(source) WHERE seq % 10 = 0
                """,
                """
                INSERT INTO journal (id, request_id, tenant_id, user_id, flow, resource_id, input, state, step,
                    step_is_done, scratch, attempt, not_before, fence, created, updated)
                SELECT seq, 'r', 'project-a', 'u', 'f', \(id), '{}', 'ready', '', 0, '{}', 0, 1, 0, 1, 1 \(source)
                """,
            ] { try connection.execute(statement, []) }
        }
    }

    @Test("lists, pages and sums read as many rows with 20,000 instances as with 200")
    func pages() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let questions: [(String, @Sendable (SQLTransaction) throws -> Void)] = [
                ("list of a project", { _ = try $0.instances.outlines(projectID: "project-a", after: nil, limit: 20) }),
                ("list of all", { _ = try $0.instances.outlines(projectID: nil, after: "i00099", limit: 20) }),
                (
                    "page of a project",
                    { _ = try $0.instances.page(projectID: "project-a", after: "i00050", limit: 20) }
                ),
                (
                    "details of a project",
                    {
                        _ = try $0.instances.details(
                            projectID: "project-a", after: "i00050", limit: 20, withMembers: false)
                    }
                ),
                ("page of all", { _ = try $0.instances.page(projectID: nil, after: nil, limit: 20) }),
                (
                    "administrators' page of all",
                    { _ = try $0.instances.managedPage(projectID: nil, isDeleted: nil, offset: 0, limit: 5) }
                ),
                (
                    "administrators' page of a project's live ones",
                    { _ = try $0.instances.managedPage(projectID: "project-a", isDeleted: false, offset: 5, limit: 5) }
                ),
                ("one instance for administrators", { _ = try $0.instances.managed("i00007") }),
                ("one instance", { _ = try $0.instances.summary("i00007") }),
                (
                    "backups",
                    { _ = try $0.backups.page(projectID: nil, instanceID: nil, datastoreID: nil, offset: 0, limit: 20) }
                ),
                (
                    "backups of a project",
                    {
                        _ = try $0.backups.page(
                            projectID: "project-a", instanceID: nil, datastoreID: nil, offset: 0, limit: 20)
                    }
                ),
                (
                    "backups of an instance",
                    {
                        _ = try $0.backups.page(
                            projectID: nil, instanceID: "i00010", datastoreID: nil, offset: 0, limit: 20)
                    }
                ),
                ("running backup", { _ = try $0.backups.isRunning(instanceID: "i00010") }),
                ("operations of an instance", { _ = try $0.journal.live(resourceID: "i00007") }),
                ("quota limits", { _ = try $0.quotas.limits(projectID: "project-a") }),
            ]
            try await Self.insert(0...199, into: fixture)
            var small: [Int] = []
            for (_, question) in questions { small.append(try await Self.cost(fixture, question)) }
            try await Self.insert(200...19_999, into: fixture)
            try await fixture.mariadb.withConnection { connection in
                _ = try connection.query("ANALYZE TABLE instances, backups, journal, service_statuses", []) { _ in }
            }
            for (index, (name, question)) in questions.enumerated() {
                let large = try await Self.cost(fixture, question)
                #expect(large == small[index], "\(name)")
                #expect(large <= 20 * 8, "\(name): \(large) rows")
            }
        }
    }

    @Test("a list is one statement, walks its index in order, sorts nothing, and finds the rest by keys")
    func listPlan() async throws {
        try await Fixture.with(.mariadb) { fixture in
            try await Self.insert(0...49, into: fixture)
            let statements = StatementSet.mariadb(.mariadb, writing: false).instances
            for sql in [
                statements.outlinesOfProject, statements.outlinesOfAll, statements.pageOfProject, statements.pageOfAll,
                statements.detailsOfProject, statements.detailsOfAll,
            ] {
                let ofProject = sql.contains("i.tenant_id = ? AND")
                let values: [SQLValue] = (ofProject ? ["project-a"] : []) + ["", 0, 20]
                let plan = try await fixture.mariadb.withConnection { connection in
                    // id, select_type, table, type, possible_keys, key, key_len, ref, rows, Extra
                    try connection.query("EXPLAIN " + sql, values) { row in
                        (table: row.text(2), type: row.text(3), key: row.text(5), extra: row.text(9))
                    }
                }
                #expect(plan.first?.table == "i")
                #expect(plan.first?.key == (ofProject ? "instances_tenant" : "instances_live"))
                for step in plan {
                    #expect(!step.extra.contains("filesort") && !step.extra.contains("temporary"), "\(step)")
                    #expect(!step.extra.contains("join buffer"), "\(step)")
                    #expect(["range", "ref", "eq_ref"].contains(step.type), "\(step)")
                }
            }
        }
    }

    @Test("heartbeats of hundreds are a few statements, and touch their own rows alone")
    func heartbeats() async throws {
        try await Fixture.with(.mariadb) { fixture in
            try await Self.insert(0...2999, into: fixture)
            let ids = (0..<300).map { "i\(String($0 * 7 + 100_000).dropFirst())" }
            let counts = try await fixture.mariadb.withConnection { connection in
                func questions() throws -> Int {
                    try connection.first("SHOW SESSION STATUS LIKE 'Com_stmt_execute'", []) { Int($0.text(1)) ?? 0 }
                        ?? 0
                }
                let transaction = SQLTransaction(
                    connection: connection, statements: connection.statements(writing: true),
                    time: TransactionTime { Fixture.start })
                func batch(_ sent: Double) throws -> [Bool] {
                    let advanced = try transaction.conductorLastSeen.advance(
                        ids.map { LastSeenMark(instanceID: $0, method: "heartbeat", sent: sent) })
                    let changed = try transaction.instances.setServices(
                        ids.map { id in
                            ServiceReport(
                                instanceID: id, status: .healthy, heartbeat: Fixture.start + .seconds(Int(sent)),
                                volumeUsedBytes: 5)
                        })
                    #expect(changed.count == (sent == 1 ? 300 : 0))
                    return advanced
                }
                #expect(try batch(1).allSatisfy { $0 })
                let (before, rows) = (try questions(), try Self.rowsRead(connection))
                #expect(try batch(2).allSatisfy { $0 })
                return (try questions() - before, try Self.rowsRead(connection) - rows)
            }
            // Four of the batch; the others are this test's own questions.
            #expect(counts.0 <= 4 + 2)
            // Each of the four writes the list down, reads it, and finds a row for each of its items.
            #expect(counts.1 <= 300 * 3 * 4 + 1000, "\(counts.1) rows")
        }
    }
}
