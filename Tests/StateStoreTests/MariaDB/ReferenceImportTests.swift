// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

@testable import StateStore

/// Against the schema that the reference service's own program makes: `scripts/upstream`.
@Suite("Adopting a database of the reference service", .enabled(if: Upstream.isThere))
struct ReferenceImportTests {
    /// Rows as the reference service writes them, some of which are not taken.
    private static let rows = [
        "INSERT INTO datastores (id, name, default_version_id) VALUES ('ds', 'alpha', 'v1'), ('ds2', 'beta', NULL)",
        """
        INSERT INTO datastore_versions
            (id, datastore_id, name, packages, active, manager, version, registry_ext, repl_strategy)
        VALUES ('v1', 'ds', '1.2', 'alpha-server, tools', 1, 'alpha', '1.2.3', '{}', '{}'),
            ('v2', 'ds2', '9', NULL, 0, 'beta', NULL, '{}', '{}')
        """,
        """
        INSERT INTO instances (id, created, updated, name, compute_instance_id, task_id, task_start_time, flavor_id,
            volume_size, tenant_id, server_status, deleted, datastore_version_id, region_id, encrypted_key, access,
            slave_of_id, cluster_id, configuration_id)
        VALUES
            ('i1', '2026-01-01 00:00:01', '2026-02-03 04:05:06', 'one \u{1F6A2}', 'nova-1', 1, NULL, 'f1', 5, 'p', NULL, 0,
                'v1', 'RegionOne', 'c2VhbGVk', '{"is_public": true, "allowed_cidrs": ["10.0.0.0/8"]}', NULL, NULL, NULL),
            ('i2', '2026-01-01 00:00:02', '2026-01-01 00:00:02', NULL, NULL, 5, '2026-01-01 00:00:03', 'f2', NULL, 'q',
                'BUILD', 0, 'v2', NULL, NULL, NULL, 'i1', NULL, 'c1'),
            ('i3', '2026-01-01', '2026-01-01', 'gone', 'nova-3', 1, NULL, 'f1', 5, 'p', NULL, 1, 'v1', NULL, NULL, NULL,
                NULL, NULL, NULL),
            ('i4', '2026-01-01', '2026-01-01', 'member', 'nova-4', 1, NULL, 'f1', 5, 'p', NULL, 0, 'v1', NULL, NULL, NULL,
                NULL, 'cluster', NULL),
            ('i5', '2026-01-01', '2026-01-01', 'ring-1', 'nova-5', 1, NULL, 'f1', 5, 'p', NULL, 0, 'v1', NULL, NULL, NULL,
                NULL, 'k1', NULL)
        """,
        """
        INSERT INTO service_statuses (id, instance_id, status_id, status_description, updated_at)
        VALUES ('s1', 'i1', 33, 'healthy', '2026-03-01 12:00:00'), ('s2', 'i2', 9, 'building', NULL)
        """,
        """
        INSERT INTO backups (id, name, description, location, backup_type, size, tenant_id, state, instance_id, checksum,
            deleted, created, updated, parent_id, datastore_version_id)
        VALUES ('b2', 'child', NULL, 'http://o/2', 'stream', 0.5, 'p', 'COMPLETED', 'i1', 'md5', 0,
                '2026-01-01 00:00:05', '2026-01-01 00:00:06', 'b1', 'v1'),
            ('b1', 'full', 'nightly', 'http://o/1', 'stream', 1.5, 'p', 'COMPLETED', 'i1', 'md5', 0,
                '2026-01-01 00:00:05', '2026-01-01 00:00:06', NULL, 'v1'),
            ('b3', 'running', NULL, NULL, NULL, NULL, 'p', 'BUILDING', 'i1', NULL, 0, '2026-01-02', '2026-01-02', NULL,
                'v1'),
            ('b4', 'orphan', NULL, NULL, NULL, NULL, 'p', 'COMPLETED', 'i1', NULL, 0, '2026-01-02', '2026-01-02', 'none',
                'v1'),
            ('b5', 'gone', NULL, NULL, NULL, NULL, 'p', 'COMPLETED', 'i1', NULL, 1, '2026-01-02', '2026-01-02', NULL,
                'v1')
        """,
        """
        INSERT INTO clusters (id, created, updated, name, task_id, tenant_id, datastore_version_id, deleted)
        VALUES ('k1', '2026-01-01 00:00:01', '2026-02-03 04:05:06', 'ring', 5, 'p', 'v1', 0),
            ('k2', '2026-01-01', '2026-01-01', 'gone', 1, 'p', 'v1', 1)
        """,
        """
        INSERT INTO backup_strategy (id, tenant_id, instance_id, backend, swift_container)
        VALUES ('y1', 'p', '', 'swift', 'nightly'), ('y2', 'p', 'i1', 'swift', 'own')
        """,
        "INSERT INTO quotas (id, tenant_id, resource, hard_limit) VALUES ('q1', 'p', 'instances', 7), ('q2', 'p', 'ram', -1)",
        """
        INSERT INTO instance_faults (id, instance_id, message, details, created, updated, deleted)
        VALUES ('f', 'i2', 'no host', 'trace', '2026-01-01 00:00:09', '2026-01-01 00:00:09', 0)
        """,
        "INSERT INTO root_enabled_history (id, user, created) VALUES ('i1', 'u', '2026-01-01 00:00:10')",
        """
        INSERT INTO configurations (id, name, description, tenant_id, datastore_version_id, deleted, created, updated)
        VALUES ('c1', 'c', 'of the shop', 'q', 'v2', 0, '2026-01-01 00:00:01', '2026-02-03 04:05:06'),
            ('c2', 'gone', NULL, 'q', 'v2', 1, '2026-01-01', '2026-01-01')
        """,
        """
        INSERT INTO datastore_configuration_parameters
            (id, name, datastore_version_id, restart_required, max_size, min_size, data_type, deleted)
        VALUES ('p1', 'size', 'v2', 0, '9', '1', 'integer', 0), ('p2', 'on', 'v2', 0, NULL, NULL, 'boolean', 0),
            ('p3', 'mode', 'v2', 0, NULL, NULL, 'string', 0)
        """,
        """
        INSERT INTO configuration_parameters (configuration_id, configuration_key, configuration_value, deleted)
        VALUES ('c1', 'size', '5', 0), ('c1', 'on', '1', 0), ('c1', 'mode', '7', 0), ('c1', 'gone', '1', 1)
        """,
    ]

    private func source() async throws -> TestDatabase {
        let database = try await TestDatabase.new()
        try await withTemporaryDirectory { directory in
            let port = try database.nodes.port("mariadb", "port")
            let password = try database.nodes.password("mariadb", "trove")
            let file = directory + "/trove.conf"
            try """
            [database]
            connection = mysql+pymysql://trove:\(password)@127.0.0.1:\(port)/\(database.name)?charset=utf8
            """.write(toFile: file, atomically: true, encoding: .utf8)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: Upstream.program)
            process.arguments = ["--config-file", file, "db_sync"]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
        let session = try database.administrator(database.name)
        try session.run("SET foreign_key_checks = 0, time_zone = '+00:00'")
        for row in Self.rows {
            // Its tables are utf8mb3: no ships there.
            try session.run(row.replacing("\u{1F6A2}", with: "é"))
        }
        return database
    }

    @Test(
        "what it holds of the nouns here is taken over, with its ids, times and keys; again nothing is",
        .timeLimit(.minutes(3)))
    func adoption() async throws {
        let source = try await source()
        let configuration = try source.configuration
        let plan = try await ReferenceImport.run(from: configuration, into: nil)
        #expect(plan.counts.map(\.added) == [2, 2, 1, 1, 3, 3, 2, 2])
        for driver in Driver.allCases { try await adopt(configuration, driver) }
        // It was read and not changed.
        let session = try source.administrator(source.name)
        #expect(try session.query("SELECT COUNT(*) FROM instances", []) { $0.int(0) } == [5])
    }

    private func adopt(_ configuration: StateStoreConfiguration, _ driver: Driver) async throws {
        // The fixture has a datastore of the name "alpha" already, with the version 1.2.
        try await Fixture.with(driver) { fixture in
            let report = try await ReferenceImport.run(from: configuration, into: fixture.store)
            #expect(
                report.counts.map(\.noun) == [
                    "datastores", "datastore versions", "configurations", "clusters", "instances", "backups",
                    "backup strategies", "quotas",
                ])
            #expect(report.counts.map(\.found) == [2, 2, 1, 1, 3, 3, 2, 2])
            #expect(report.counts.map(\.added) == [1, 1, 1, 1, 3, 3, 2, 2])
            for part in [
                "1 instances of clusters that are not there are not taken",
                "1 instances are replicas",
                "1 instances had a task in progress",
                "1 incremental backups are not taken", "1 backups were being made", "beta 9 has no plugin yet",
            ] { #expect(report.notes.contains { $0.contains(part) }, "\(part)") }
            try await fixture.store.read { transaction throws in
                func time(_ text: String) throws -> Timestamp {
                    Timestamp(seconds: try Date("2026-" + text + "Z", strategy: .iso8601).timeIntervalSince1970)
                }
                let one = try #require(try transaction.instances.find("i1"))
                #expect(one.name == "one é")
                #expect(one.projectID == "p" && one.flavorID == "f1" && one.volumeGiB == 5)
                #expect(one.datastoreVersionID == Fixture.versionID)
                let times = [one.created, one.updated, one.serviceUpdated]
                #expect(try times == ["01-01T00:00:01", "02-03T04:05:06", "03-01T12:00:00"].map(time))
                #expect(one.task == InstanceTask.none && one.taskStarted == nil)
                #expect(one.service == .healthy)
                #expect(one.serverID == "nova-1" && one.serverStatus == .active && one.region == "RegionOne")
                #expect(one.encryptedKey == "c2VhbGVk")
                #expect(one.access == ["is_public": true, "allowed_cidrs": ["10.0.0.0/8"]])
                let two = try #require(try transaction.instances.find("i2"))
                #expect(two.task == .building && two.configurationID == "c1")
                let group = try #require(try transaction.configurations.find("c1"))
                #expect(group.description == "of the shop" && group.projectID == "q")
                #expect(group.datastoreVersionID == "v2")
                #expect(try group.updated == time("02-03T04:05:06"))
                #expect(try transaction.configurations.values("c1") == ["size": 5, "on": true, "mode": "7"])
                #expect(try two.taskStarted == time("01-01T00:00:03"))
                #expect(two.serverStatus == .build && two.service == .building && two.datastoreVersionID == "v2")
                #expect(try transaction.instances.all().count == 3)
                let ring = try #require(try transaction.clusters.find("k1"))
                #expect(ring.name == "ring" && ring.task == .growing && ring.datastoreVersionID == Fixture.versionID)
                #expect(try transaction.clusters.members(of: ["k1"]).map(\.id) == ["i5"])
                #expect(
                    try transaction.backupStrategies.all(projectID: "p", instanceID: nil).map(\.container)
                        == ["nightly", "own"])
                let parent = try #require(try transaction.backups.find("b1"))
                #expect(parent.sizeBytes == 3 << 29 && parent.location == "http://o/1" && parent.checksum == "md5")
                #expect(try transaction.backups.children(of: "b1").map(\.id) == ["b2"])
                #expect(try transaction.backups.find("b3")?.state == .failed)
                #expect(try transaction.quotas.limits(projectID: "p") == ["instances": 7, "ram": -1])
                #expect(try transaction.faults.find(instanceID: "i2")?.message == "no host")
                #expect(try transaction.rootHistory.find(instanceID: "i1")?.userID == "u")
                let version = try #require(try transaction.datastores.version("v2"))
                #expect(version.name == "9" && version.number == "9" && !version.isActive)
                #expect(try transaction.datastores.find(idOrName: "beta")?.id == "ds2")
            }
            let again = try await ReferenceImport.run(from: configuration, into: fixture.store)
            #expect(again.counts.map(\.added) == [0, 0, 0, 0, 0, 0, 0, 0])
        }
    }

    @Test("a database of something else is refused by what it lacks")
    func refused() async throws {
        let empty = try await TestDatabase.new()
        await #expect {
            try await ReferenceImport.run(from: try empty.configuration, into: nil)
        } throws: { error in
            has(.schema)(error) && (error as? StateStoreError)?.message.contains("it has no table backups") == true
        }
        _ = try await empty.schema.upgrade()
        await #expect {
            try await ReferenceImport.run(from: try empty.configuration, into: nil)
        } throws: { error in
            has(.schema)(error) && (error as? StateStoreError)?.message.contains("has no column") == true
        }
        await #expect { try await ReferenceImport.run(from: .file("/nothing"), into: nil) } throws: {
            has(.unavailable)($0)
        }
    }
}

/// What `scripts/upstream` makes.
private enum Upstream {
    private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    static let program = root + "/.build/upstream/bin/trove-manage"
    static let isThere = FileManager.default.fileExists(atPath: root + "/.build/upstream/wanted")
}
