// SPDX-License-Identifier: Apache-2.0

import Model

extension SQLInstanceRepository {
    /// id, name, project, flavor, volume GiB, datastore version, created, updated, deleted (0 or 1), deleted at, task,
    /// task started, server id, server status, address, region, access, plugins, version,
    /// compute host, encrypted key, configuration, cluster, shard, type, TLS mode.
    static func values(of record: InstanceRecord) -> [SQLValue] {
        let started = record.taskStarted ?? (record.task == .none ? nil : record.created)
        return [
            .text(record.id), .text(record.name), .text(record.projectID), .text(record.flavorID),
            SQLValue(record.volumeGiB), .text(record.datastoreVersionID), SQLValue(record.created),
            SQLValue(record.updated), record.deleted == nil ? 0 : 1, SQLValue(record.deleted),
            SQLValue(record.task.rawValue), SQLValue(started), SQLValue(record.serverID),
            .text(record.serverStatus.rawValue), SQLValue(record.address), SQLValue(record.region),
            SQLValue(record.access), .text(record.storedPlugins.text), SQLValue(record.version),
            SQLValue(record.computeHost), SQLValue(record.encryptedKey), SQLValue(record.configurationID),
            SQLValue(record.membership?.clusterID), SQLValue(record.membership?.shardID),
            SQLValue(record.membership?.type), SQLValue(record.tlsMode),
        ]
    }

    /// id, name, project, flavor, volume GiB, datastore version, created, updated, deleted at, task, task started, service
    /// status, heartbeat, volume used, server id, server status, address, region, access, plugins, version,
    /// compute host, encrypted key, configuration, cluster, shard, type, TLS mode.
    static func record(_ row: any StateRow) throws -> InstanceRecord {
        var reader = RowReader(row)
        let record = try record(&reader)
        // A page leaves the document alone; whoever works with the instance needs it to be one.
        guard (try? JSONValue(parsing: record.storedPlugins.text)) != nil else {
            throw StateStoreError(
                .corrupt, "The plugins of instance \(record.id) are no JSON; restore the state database from a backup."
            )
        }
        return record
    }

    /// The columns of `record`, then: datastore, version name, version number, backup is running (0 or 1), configuration and
    /// its name (NULL without one), fault message (NULL without a fault), details, created, updated.
    static func summary(_ row: any StateRow) throws -> InstanceSummary {
        var reader = RowReader(row)
        return try summary(&reader)
    }

    static func summary(_ reader: inout RowReader) throws -> InstanceSummary {
        var summary = InstanceSummary(
            instance: try record(&reader), datastoreName: try reader.text(), datastoreVersionName: try reader.text(),
            datastoreVersionNumber: try reader.text(), backupIsRunning: try reader.flag(), fault: nil
        )
        summary.configuration = try configuration(&reader)
        summary.fault = try fault(&reader, of: summary.instance.id)
        return summary
    }

    /// The columns of `outline` with the project, then: version number, updated, fault message (NULL without a fault), details, created,
    /// updated, configuration and its name (NULL without one), cluster, shard, type, server id, whether a key is there (0 or 1).
    static func detail(_ row: any StateRow) throws -> InstanceDetail {
        var reader = RowReader(row)
        let outline = try outline(&reader, of: nil)
        return InstanceDetail(
            outline: outline, datastoreVersionNumber: try reader.text(), updated: try reader.time(),
            fault: try fault(&reader, of: outline.id), configuration: try configuration(&reader),
            membership: try membership(&reader), serverID: try reader.optionalText(), isSealed: try reader.flag())
    }

    private static func configuration(_ reader: inout RowReader) throws -> ConfigurationReference? {
        let (id, name) = (try reader.optionalText(), try reader.optionalText())
        guard let id else { return nil }
        return ConfigurationReference(id: id, name: name ?? "")
    }

    private static func fault(_ reader: inout RowReader, of id: String) throws -> FaultRecord? {
        let (message, details) = (try reader.optionalText(), try reader.optionalText())
        let (created, updated) = (try reader.optionalTime(), try reader.optionalTime())
        guard let message, let created, let updated else { return nil }
        var fault = FaultRecord(instanceID: id, message: message, details: details, created: created)
        fault.updated = updated
        return fault
    }

    private static func membership(_ reader: inout RowReader) throws -> ClusterMembership? {
        let (clusterID, shardID) = (try reader.optionalText(), try reader.optionalText())
        let type = try reader.optionalText()
        return clusterID.map { ClusterMembership(clusterID: $0, shardID: shardID, type: type ?? "member") }
    }

    /// id, name, flavor, volume GiB, created, task, service status, server status, heartbeat, backup is running (0 or 1),
    /// address, region, access, datastore, version name; then the project unless it is known.
    static func outline(_ row: any StateRow, of projectID: String?) throws -> InstanceOutline {
        var reader = RowReader(row)
        return try outline(&reader, of: projectID)
    }

    private static func outline(_ reader: inout RowReader, of projectID: String?) throws -> InstanceOutline {
        let id = try reader.text()
        return InstanceOutline(
            id: id, name: try reader.text(), flavorID: try reader.text(), volumeGiB: try reader.int(),
            created: try reader.time(),
            status: InstanceStatus(
                task: try task(try reader.int(), of: id),
                service: ServiceStatus(rawValue: try reader.int()) ?? .unknown,
                server: ServerStatus(rawValue: try reader.text()) ?? .unknown, heartbeat: try reader.time(),
                backupIsRunning: try reader.flag()
            ),
            address: try reader.optionalText(), region: try reader.optionalText(), access: try reader.optionalJSON(),
            datastoreName: try reader.text(), datastoreVersionName: try reader.text(),
            projectID: try projectID ?? reader.text()
        )
    }

    private static func record(_ reader: inout RowReader) throws -> InstanceRecord {
        var record = InstanceRecord(
            id: try reader.text(), name: try reader.text(), projectID: try reader.text(), flavorID: try reader.text(),
            volumeGiB: try reader.int(), datastoreVersionID: try reader.text(), created: try reader.time()
        )
        record.updated = try reader.time()
        record.deleted = try reader.optionalTime()
        record.task = try task(try reader.int(), of: record.id)
        record.taskStarted = try reader.optionalTime()
        record.service = ServiceStatus(rawValue: try reader.int()) ?? .unknown
        record.serviceUpdated = try reader.time()
        record.volumeUsedBytes = try reader.optionalInt()
        record.serverID = try reader.optionalText()
        record.serverStatus = ServerStatus(rawValue: try reader.text()) ?? .unknown
        record.address = try reader.optionalText()
        record.region = try reader.optionalText()
        record.access = try reader.optionalJSON()
        record.storedPlugins = StoredJSON(text: try reader.text())
        record.version = try reader.int()
        record.computeHost = try reader.optionalText()
        record.encryptedKey = try reader.optionalText()
        record.configurationID = try reader.optionalText()
        record.membership = try membership(&reader)
        record.tlsMode = try reader.optionalText()
        return record
    }

    private static func task(_ code: Int, of id: String) throws(StateStoreError) -> InstanceTask {
        guard let task = InstanceTask(rawValue: code) else {
            throw StateStoreError(.corrupt, "Instance \(id) has the task \(code), which this program does not know.")
        }
        return task
    }
}
