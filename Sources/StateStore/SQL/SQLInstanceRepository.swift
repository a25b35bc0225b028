// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `instances` and `service_statuses`. Placeholders in the order of the comments.
struct InstanceStatements: Sendable {
    /// The columns of `SQLInstanceRepository.values(of:)`.
    let insert: String
    /// instance id, status id, description, updated, volume used
    let insertService: String
    /// id → the columns of `record`
    let find: String
    /// id → the columns of `record`, then of `summary`
    let summary: String
    /// project, marker, members too (0 or 1), limit → as `summary`
    let pageOfProject: String
    /// marker, members too (0 or 1), limit → as `summary`
    let pageOfAll: String
    /// project, marker, members too (0 or 1), limit → the columns of `outline`
    let outlinesOfProject: String
    /// marker, members too (0 or 1), limit → the columns of `outline`
    let outlinesOfAll: String
    /// project, marker, members too (0 or 1), limit → the columns of `detail`
    let detailsOfProject: String
    /// marker, members too (0 or 1), limit → the columns of `detail`
    let detailsOfAll: String
    /// → the columns of `record`
    let all: String
    /// task, started, updated, id
    let setTask: String
    /// task, started, updated, id, JSON array of expected tasks
    let setTaskExpecting: String
    /// id → task, version
    let state: String
    /// name, updated, id
    let setName: String
    /// server id, status, address, updated, id
    let setServer: String
    /// name, flavor, volume, version id, task, task started, server id, server status, address, region, access, plugins,
    /// compute host, encrypted key, configuration, updated, id, version read
    let save: String
    /// status id, description, heartbeat, instance id
    let setService: String
    /// JSON array of instance ids → instance id, status id; keeps other transactions from changing them
    let serviceStatuses: String
    let heartbeats: HeartbeatStatements
    /// task, deleted at, updated, id
    let markDeleted: String
    let managed: ManagedInstanceStatements
}

/// Statements that write heartbeats, of which those of DELETED and RESTART_REQUIRED are not.
enum HeartbeatStatements: Sendable {
    /// status id, description, heartbeat, volume used or NULL to keep, instance id; leaves the two alone
    case each(String)
    /// JSON array of [instance id, status id, description, heartbeat, volume used or null to keep], ids ascending, none of
    /// the two among them
    case batch(String)
}

struct SQLInstanceRepository: InstanceRepository {
    let connection: any StateConnection
    let statements: InstanceStatements

    func insert(_ record: InstanceRecord) throws {
        try connection.execute(statements.insert, Self.values(of: record))
        try connection.execute(
            statements.insertService,
            [
                .text(record.id), SQLValue(record.service.rawValue), .text(record.service.text),
                SQLValue(record.serviceUpdated), SQLValue(record.volumeUsedBytes),
            ]
        )
    }

    func find(_ id: String) throws -> InstanceRecord? {
        try connection.first(statements.find, [.text(id)], Self.record)
    }

    func summary(_ id: String) throws -> InstanceSummary? {
        try connection.first(statements.summary, [.text(id)], Self.summary)
    }

    func outlines(
        projectID: String?, after marker: String?, limit: Int, withMembers: Bool
    ) throws -> [InstanceOutline] {
        try connection.query(
            projectID == nil ? statements.outlinesOfAll : statements.outlinesOfProject,
            Self.bounds(projectID, marker, limit, withMembers)
        ) { row in try Self.outline(row, of: projectID) }
    }

    func page(
        projectID: String?, after marker: String?, limit: Int, withMembers: Bool
    ) throws -> [InstanceSummary] {
        try connection.query(
            projectID == nil ? statements.pageOfAll : statements.pageOfProject,
            Self.bounds(projectID, marker, limit, withMembers), Self.summary
        )
    }

    func details(
        projectID: String?, after marker: String?, limit: Int, withMembers: Bool
    ) throws -> [InstanceDetail] {
        try connection.query(
            projectID == nil ? statements.detailsOfAll : statements.detailsOfProject,
            Self.bounds(projectID, marker, limit, withMembers), Self.detail
        )
    }

    private static func bounds(_ projectID: String?, _ marker: String?, _ limit: Int, _ withMembers: Bool) -> [SQLValue]
    {
        let bounds: [SQLValue] = [.text(marker ?? ""), withMembers ? 1 : 0, SQLValue(max(0, limit))]
        return projectID.map { [.text($0)] + bounds } ?? bounds
    }

    func all() throws -> [InstanceRecord] {
        try connection.query(statements.all, [], Self.record)
    }

    func standing(host: String?) throws -> [String] {
        // Every dialect has it.
        try connection.query(
            """
            SELECT id FROM instances
            WHERE deleted = 0 AND server_status = ? AND task_id <> ? AND COALESCE(compute_host, '') = ? ORDER BY id
            """,
            [.text(ServerStatus.active.rawValue), SQLValue(InstanceTask.deleting.rawValue), .text(host ?? "")]
        ) { row in
            var reader = RowReader(row)
            return try reader.text()
        }
    }

    func setTask(_ id: String, to task: InstanceTask, expecting expected: [InstanceTask]?, now: Timestamp) throws {
        let started: Timestamp? = task == .none ? nil : now
        let values = [SQLValue(task.rawValue), SQLValue(started), SQLValue(now), .text(id)]
        let changed =
            if let expected {
                try connection.execute(statements.setTaskExpecting, values + [.list(expected.map(\.rawValue))])
            } else {
                try connection.execute(statements.setTask, values)
            }
        if changed == 0 {
            let state = try requireState(id)
            let found = InstanceTask(rawValue: state.task)?.action ?? "unknown"
            let wanted = (expected ?? []).map(\.action).joined(separator: " or ")
            throw StateStoreError(.conflict, "Instance \(id) has the task \(found), not \(wanted).")
        }
    }

    func setName(_ id: String, to name: String, now: Timestamp) throws {
        try requireChange(id, try connection.execute(statements.setName, [.text(name), SQLValue(now), .text(id)]))
    }

    func setTLSMode(_ id: String, to mode: String?) throws {
        // Every dialect has it.
        try connection.execute(
            "UPDATE instances SET ssl_mode = ? WHERE id = ? AND deleted = 0", [SQLValue(mode), .text(id)])
    }

    func setServer(_ id: String, serverID: String?, status: ServerStatus, address: String?, now: Timestamp) throws {
        let changed = try connection.execute(
            statements.setServer,
            [SQLValue(serverID), .text(status.rawValue), SQLValue(address), SQLValue(now), .text(id)]
        )
        try requireChange(id, changed)
    }

    func save(_ record: InstanceRecord, now: Timestamp) throws -> InstanceRecord {
        let changed = try connection.execute(
            statements.save,
            [
                .text(record.name), .text(record.flavorID), SQLValue(record.volumeGiB),
                .text(record.datastoreVersionID), SQLValue(record.task.rawValue), SQLValue(record.taskStarted),
                SQLValue(record.serverID), .text(record.serverStatus.rawValue), SQLValue(record.address),
                SQLValue(record.region), SQLValue(record.access), SQLValue(record.plugins),
                SQLValue(record.computeHost), SQLValue(record.encryptedKey), SQLValue(record.configurationID),
                SQLValue(now), .text(record.id), SQLValue(record.version),
            ]
        )
        if changed == 0 {
            let version = try requireState(record.id).version
            throw StateStoreError(
                .conflict,
                "Instance \(record.id) changed since it was read (version \(record.version), now \(version)); "
                    + "read it again."
            )
        }
        var saved = record
        saved.version += 1
        saved.updated = now
        return saved
    }

    func setService(_ id: String, to status: ServiceStatus, heartbeat: Timestamp) throws {
        let changed = try connection.execute(
            statements.setService,
            [SQLValue(status.rawValue), .text(status.text), SQLValue(heartbeat), .text(id)]
        )
        try requireChange(id, changed)
    }

    func setServices(_ changes: [ServiceReport]) throws -> [String] {
        let reports = Self.newest(changes)
        guard !reports.isEmpty else { return [] }
        let stored = try connection.query(statements.serviceStatuses, [.list(reports.map(\.instanceID))]) { row in
            var reader = RowReader(row)
            return (try reader.text(), ServiceStatus(rawValue: try reader.int()) ?? .unknown)
        }
        let before = Dictionary(stored) { _, last in last }.filter {
            $0.value != .deleted && $0.value != .restartRequired
        }
        switch statements.heartbeats {
        case .each(let statement):
            for report in reports {
                try connection.execute(
                    statement,
                    [
                        SQLValue(report.status.rawValue), .text(report.status.text), SQLValue(report.heartbeat),
                        SQLValue(report.volumeUsedBytes), .text(report.instanceID),
                    ]
                )
            }
        case .batch(let statement):
            let documents = reports.filter { before[$0.instanceID] != nil }.map(Self.document)
            if !documents.isEmpty { try connection.execute(statement, [SQLValue(JSONValue.array(documents))]) }
        }
        return reports.filter { report in before[report.instanceID].map { $0 != report.status } ?? false }
            .map(\.instanceID)
    }

    /// One report an instance, ids ascending: the last one, with the last volume that any told.
    private static func newest(_ changes: [ServiceReport]) -> [ServiceReport] {
        var reports: [String: ServiceReport] = [:]
        for change in changes {
            let volume = reports[change.instanceID]?.volumeUsedBytes
            reports[change.instanceID] = change
            if change.volumeUsedBytes == nil { reports[change.instanceID]?.volumeUsedBytes = volume }
        }
        return reports.values.sorted { $0.instanceID < $1.instanceID }
    }

    private static func document(_ report: ServiceReport) -> JSONValue {
        .array([
            .string(report.instanceID), .int(Int64(report.status.rawValue)), .string(report.status.text),
            .int(report.heartbeat.microseconds), report.volumeUsedBytes.map { .int(Int64($0)) } ?? .null,
        ])
    }

    func markDeleted(_ id: String, now: Timestamp) throws {
        let changed = try connection.execute(
            statements.markDeleted,
            [SQLValue(InstanceTask.none.rawValue), SQLValue(now), SQLValue(now), .text(id)]
        )
        try requireChange(id, changed)
        try setService(id, to: .deleted, heartbeat: now)
    }

    private func requireState(_ id: String) throws -> (task: Int, version: Int) {
        let state = try connection.first(statements.state, [.text(id)]) { row in
            var reader = RowReader(row)
            return (task: try reader.int(), version: try reader.int())
        }
        guard let state else { throw StateStoreError(.notFound, "Instance \(id) does not exist.") }
        return state
    }

    private func requireChange(_ id: String, _ changed: Int) throws {
        if changed == 0 { throw StateStoreError(.notFound, "Instance \(id) does not exist.") }
    }
}
