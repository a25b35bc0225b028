// SPDX-License-Identifier: Apache-2.0

import Logging
import Model

/// What a database of the reference service holds of the nouns that this one has. Live rows only.
struct ReferenceDatabase: Sendable {
    struct Datastore: Sendable {
        var record: DatastoreRecord
        var versions: [DatastoreVersionRecord]
    }

    struct Quota: Sendable {
        var projectID: String
        var resource: String
        var limit: Int
    }

    struct RootUse: Sendable {
        var instanceID: String
        var userID: String
        var created: Timestamp
    }

    struct ConfigurationGroup: Sendable {
        var record: ConfigurationRecord
        var values: [String: JSONValue]
    }

    var datastores: [Datastore] = []
    var groups: [ConfigurationGroup] = []
    var clusters: [ClusterRecord] = []
    var strategies: [BackupStrategyRecord] = []
    var instances: [InstanceRecord] = []
    /// Parents before their children.
    var backups: [BackupRecord] = []
    var faults: [FaultRecord] = []
    var roots: [RootUse] = []
    var quotas: [Quota] = []
    /// What is there and is not taken, or not as it was; a sentence each.
    var notes: [String] = []

    /// Tables and columns that are read. `registry_ext` came with release 21, of October 2023.
    private static let needed = [
        "datastores": ["id", "name", "default_version_id"],
        "datastore_versions": ["id", "datastore_id", "name", "version", "active", "packages", "registry_ext"],
        "instances": [
            "id", "created", "updated", "name", "compute_instance_id", "task_id", "task_start_time", "flavor_id",
            "volume_size", "tenant_id", "server_status", "deleted", "datastore_version_id", "configuration_id",
            "slave_of_id", "cluster_id", "shard_id", "type", "region_id", "encrypted_key", "access",
        ],
        "configurations": [
            "id", "name", "description", "tenant_id", "datastore_version_id", "deleted", "created", "updated",
        ],
        "clusters": [
            "id", "name", "task_id", "tenant_id", "datastore_version_id", "configuration_id", "deleted", "created",
            "updated",
        ],
        "backup_strategy": ["id", "tenant_id", "instance_id", "swift_container"],
        "configuration_parameters": ["configuration_id", "configuration_key", "configuration_value", "deleted"],
        "datastore_configuration_parameters": ["name", "datastore_version_id", "data_type", "deleted"],
        "service_statuses": ["instance_id", "status_id", "updated_at"],
        "backups": [
            "id", "name", "description", "location", "backup_type", "size", "tenant_id", "state", "instance_id",
            "checksum", "deleted", "created", "updated", "parent_id", "datastore_version_id",
        ],
        "instance_faults": ["instance_id", "message", "details", "created", "updated", "deleted"],
        "root_enabled_history": ["id", "user", "created"],
        "quotas": ["tenant_id", "resource", "hard_limit"],
    ]

    /// Reads one snapshot of it and changes nothing.
    ///
    /// - Throws: `.schema` naming what a database of the reference service, release 21 or later, would have.
    static func read(_ configuration: StateStoreConfiguration) async throws -> ReferenceDatabase {
        guard case .server(let server) = try StateStorePlace(configuration.url) else {
            throw StateStoreError(.unavailable, "A database of the reference service is on a server, not in a file.")
        }
        let store = MariaDBStateStore(
            configuration, server, clock: nil, logger: Logger(label: "trove.import") { _ in SwiftLogNoOpLogHandler() })
        do {
            let database = try await store.withSnapshot { try ReferenceDatabase($0, name: server.database) }
            await store.close()
            return database
        } catch {
            await store.close()
            throw error
        }
    }

    private init(_ connection: any StateConnection, name: String) throws {
        let found = try FoundSchema(connection)
        for (table, columns) in Self.needed.sorted(by: { $0.key < $1.key }) {
            guard let missing = columns.first(where: { found.tables[table]?.columns[$0] == nil }) else { continue }
            throw StateStoreError(
                .schema,
                "The database \(name) is not one of the reference service, release 21 (October 2023) or later: "
                    + (found.tables[table] == nil ? "it has no table \(table)." : "\(table) has no column \(missing).")
            )
        }
        try readDatastores(connection)
        groups = try Self.groups(connection)
        clusters = try Self.clusters(connection)
        strategies = try Self.strategies(connection)
        try readInstances(connection)
        try readBackups(connection)
        try readSmall(connection)
        for table in ["modules"] where found.tables[table] != nil {
            let live = found.tables[table]?.columns["deleted"] == nil ? "" : " WHERE deleted = 0"
            let count = try connection.first("SELECT COUNT(*) FROM \(table)\(live)", []) { Int($0.int(0)) } ?? 0
            if count > 0 { notes.append("\(count) of \(table) are not taken: there is no such thing here.") }
        }
    }
}

// MARK: Reading

extension ReferenceDatabase {
    /// Microseconds since 1970 of a `datetime` in UTC, which is the session's time zone.
    static func time(_ column: String) -> String {
        "CAST(COALESCE(UNIX_TIMESTAMP(\(column)), 0) * 1000000 AS SIGNED)"
    }

    private mutating func readDatastores(_ connection: any StateConnection) throws {
        let versions = try connection.query(
            """
            SELECT id, datastore_id, name, COALESCE(version, name), active, COALESCE(packages, '')
            FROM datastore_versions WHERE datastore_id IS NOT NULL AND name IS NOT NULL ORDER BY id
            """, []
        ) { row in
            var reader = RowReader(row)
            return DatastoreVersionRecord(
                id: try reader.text(), datastoreID: try reader.text(), name: try reader.text(),
                number: try reader.text(), isActive: try reader.flag(),
                packages: try reader.text().split(separator: ",").map { $0.filter { !$0.isWhitespace } }, plugins: [:])
        }
        datastores = try connection.query(
            "SELECT id, name, default_version_id FROM datastores WHERE name IS NOT NULL ORDER BY name", []
        ) { row in
            var reader = RowReader(row)
            let id = try reader.text()
            return Datastore(
                record: DatastoreRecord(
                    id: id, name: try reader.text(), defaultVersionID: try reader.optionalText()),
                versions: versions.filter { $0.datastoreID == id })
        }
    }

    private mutating func readInstances(_ connection: any StateConnection) throws {
        let rows = try connection.query(
            """
            SELECT i.id, COALESCE(i.name, ''), i.tenant_id, COALESCE(i.flavor_id, ''), COALESCE(i.volume_size, 0),
                i.datastore_version_id, \(Self.time("i.created")), \(Self.time("i.updated")), i.task_id,
                \(Self.time("i.task_start_time")), COALESCE(s.status_id, 22), \(Self.time("s.updated_at")),
                i.compute_instance_id, i.server_status, i.region_id, i.access, i.encrypted_key,
                i.cluster_id, i.shard_id, i.type, i.slave_of_id IS NOT NULL, i.configuration_id
            FROM instances i LEFT JOIN service_statuses s ON s.instance_id = i.id
            WHERE i.deleted = 0 AND i.tenant_id IS NOT NULL AND i.datastore_version_id IS NOT NULL ORDER BY i.id
            """, [], Self.instance)
        var (members, unknown, replicas, busy) = (0, 0, 0, 0)
        let known = Set(groups.map(\.record.id))
        for row in rows {
            guard row.record?.membership.map({ cluster in clusters.contains { $0.id == cluster.clusterID } }) ?? true
            else {
                members += 1
                continue
            }
            guard var record = row.record else {
                unknown += 1
                continue
            }
            record.configurationID = row.group.flatMap { known.contains($0) ? $0 : nil }
            instances.append(record)
            replicas += row.isReplica ? 1 : 0
            busy += record.task != .none && !record.task.isError ? 1 : 0
        }
        func note(_ count: Int, _ text: String) { if count > 0 { notes.append("\(count) instances \(text)") } }
        note(members, "of clusters that are not there are not taken.")
        note(unknown, "have a task that this program does not know and are not taken.")
        note(replicas, "are replicas; they are taken as instances of their own.")
        note(busy, "had a task in progress; it does not go on here, 'reset_status' ends it.")
    }

    private static func instance(
        _ row: any StateRow
    ) throws -> (record: InstanceRecord?, isReplica: Bool, group: String?) {
        var reader = RowReader(row)
        var record = InstanceRecord(
            id: try reader.text(), name: try reader.text(), projectID: try reader.text(), flavorID: try reader.text(),
            volumeGiB: try reader.int(), datastoreVersionID: try reader.text(), created: try reader.time())
        record.updated = try reader.time()
        let task = InstanceTask(rawValue: try reader.optionalInt() ?? InstanceTask.none.rawValue)
        record.task = task ?? .none
        let started = try reader.time()
        record.taskStarted = record.task == .none ? nil : started
        record.service = ServiceStatus(rawValue: try reader.int()) ?? .unknown
        record.serviceUpdated = try reader.time()
        record.serverID = try reader.optionalText()
        // The reference service asks the compute service each time and often leaves the column empty.
        let status = try reader.optionalText()
        record.serverStatus =
            status.map { ServerStatus(rawValue: $0) ?? .unknown } ?? (record.serverID == nil ? .build : .active)
        record.region = try reader.optionalText()
        record.access = try reader.optionalText().flatMap { try? JSONValue(parsing: $0) }
        record.encryptedKey = try reader.optionalText()
        let (clusterID, shardID, type) = (
            try reader.optionalText(), try reader.optionalText(), try reader.optionalText()
        )
        record.membership = clusterID.map { ClusterMembership(clusterID: $0, shardID: shardID, type: type ?? "member") }
        return (task == nil ? nil : record, try reader.flag(), try reader.optionalText())
    }

    private mutating func readBackups(_ connection: any StateConnection) throws {
        // A parent is older than its children.
        let rows = try connection.query(
            """
            SELECT id, name, description, tenant_id, instance_id, parent_id, state, location, size, checksum,
                backup_type, datastore_version_id, \(Self.time("created")), \(Self.time("updated"))
            FROM backups
            WHERE deleted = 0 AND tenant_id IS NOT NULL AND datastore_version_id IS NOT NULL
            ORDER BY created, parent_id IS NOT NULL, id
            """, [], Self.backup)
        let unknown = rows.count { $0 == nil }
        if unknown > 0 {
            notes.append("\(unknown) backups have a state that this program does not know and are not taken.")
        }
        var taken: Set<String> = []
        var waiting = rows.compactMap(\.self)
        while !waiting.isEmpty {
            let (ready, rest) = waiting.reduce(into: ([BackupRecord](), [BackupRecord]())) { result, record in
                let isReady = record.parentID.map(taken.contains) ?? true
                if isReady { result.0.append(record) } else { result.1.append(record) }
            }
            guard !ready.isEmpty else {
                notes.append("\(rest.count) incremental backups are not taken: what they build upon is not there.")
                break
            }
            backups += ready
            taken.formUnion(ready.map(\.id))
            waiting = rest
        }
        let running = backups.count { $0.state.isRunning }
        if running > 0 { notes.append("\(running) backups were being made; they are taken as failed.") }
        for index in backups.indices where backups[index].state.isRunning { backups[index].state = .failed }
    }

    private static func backup(_ row: any StateRow) throws -> BackupRecord? {
        var reader = RowReader(row)
        var record = BackupRecord(
            id: try reader.text(), name: try reader.text(), description: try reader.optionalText(),
            projectID: try reader.text(), instanceID: try reader.optionalText(), parentID: try reader.optionalText(),
            backupType: nil, datastoreVersionID: "", created: Timestamp(microseconds: 0))
        guard let state = BackupState(rawValue: try reader.text()) else { return nil }
        record.state = state
        record.location = try reader.optionalText()
        // There it is GiB with a fraction.
        record.sizeBytes = try reader.optionalDouble().map { Int64(min(max($0, 0), 1e9) * 1_073_741_824) }
        record.checksum = try reader.optionalText()
        record.backupType = try reader.optionalText()
        record.datastoreVersionID = try reader.text()
        record.created = try reader.time()
        record.updated = try reader.time()
        return record
    }

    private mutating func readSmall(_ connection: any StateConnection) throws {
        faults = try connection.query(
            """
            SELECT instance_id, message, details, \(Self.time("created")), \(Self.time("updated"))
            FROM instance_faults WHERE deleted = 0 ORDER BY created
            """, []
        ) { row in
            var reader = RowReader(row)
            var fault = FaultRecord(
                instanceID: try reader.text(), message: try reader.text(), details: try reader.optionalText(),
                created: try reader.time())
            fault.updated = try reader.time()
            return fault
        }
        roots = try connection.query(
            "SELECT id, COALESCE(`user`, ''), \(Self.time("created")) FROM root_enabled_history", []
        ) { row in
            var reader = RowReader(row)
            return RootUse(instanceID: try reader.text(), userID: try reader.text(), created: try reader.time())
        }
        quotas = try connection.query(
            """
            SELECT tenant_id, resource, hard_limit FROM quotas
            WHERE tenant_id IS NOT NULL AND hard_limit IS NOT NULL ORDER BY tenant_id, resource
            """, []
        ) { row in
            var reader = RowReader(row)
            return Quota(projectID: try reader.text(), resource: try reader.text(), limit: try reader.int())
        }
    }
}
