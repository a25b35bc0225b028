// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `configurations`, `configuration_parameters` and `instances.configuration_id`. Placeholders in the order of
/// the comments.
struct ConfigurationStatements: Sendable {
    /// id, name, description, project, version id, created, updated
    let insert: String
    /// id → the columns of `SQLConfigurationRepository.record`
    let find: String
    /// project, marker, limit → as `find`
    let pageOfProject: String
    /// marker, limit → as `find`
    let pageOfAll: String
    /// name, description, updated, id
    let save: String
    /// id → name, value
    let values: String
    /// id, id → name or NULL, value or NULL, number: each value, and last how many instances have the group
    let contents: String
    /// id, name, value; replaces the value
    let put: String
    /// id, name
    let remove: String
    /// id
    let removeAll: String
    /// deleted at, updated, id
    let markDeleted: String
    /// id, marker, limit → id, name, project, task, compute host
    let instances: String
    /// id → number
    let instanceCount: String
    /// configuration id or NULL, updated, instance id
    let setConfiguration: String
}

struct SQLConfigurationRepository: ConfigurationRepository {
    let connection: any StateConnection
    let statements: ConfigurationStatements

    func insert(_ record: ConfigurationRecord) throws {
        try connection.execute(
            statements.insert,
            [
                .text(record.id), .text(record.name), SQLValue(record.description), .text(record.projectID),
                .text(record.datastoreVersionID), SQLValue(record.created), SQLValue(record.updated),
            ])
    }

    func find(_ id: String) throws -> ConfigurationRecord? {
        try connection.first(statements.find, [.text(id)], Self.record)
    }

    func page(projectID: String?, after marker: String?, limit: Int) throws -> [ConfigurationRecord] {
        let bounds: [SQLValue] = [.text(marker ?? ""), SQLValue(max(0, limit))]
        guard let projectID else { return try connection.query(statements.pageOfAll, bounds, Self.record) }
        return try connection.query(statements.pageOfProject, [.text(projectID)] + bounds, Self.record)
    }

    func save(_ record: ConfigurationRecord, now: Timestamp) throws {
        let changed = try connection.execute(
            statements.save,
            [.text(record.name), SQLValue(record.description), SQLValue(now), .text(record.id)])
        try requireChange("Configuration group \(record.id)", changed)
    }

    func values(_ id: String) throws -> [String: JSONValue] {
        let rows = try connection.query(statements.values, [.text(id)]) { row in
            var reader = RowReader(row)
            return (try reader.text(), try reader.json())
        }
        return Dictionary(rows) { _, last in last }
    }

    func contents(_ id: String) throws -> (values: [String: JSONValue], instanceCount: Int) {
        var values: [String: JSONValue] = [:]
        var count = 0
        _ = try connection.query(statements.contents, [.text(id), .text(id)]) { row in
            var reader = RowReader(row)
            if let name = try reader.optionalText() {
                values[name] = try reader.json()
            } else {
                _ = try reader.optionalText()
                count = try reader.int()
            }
        }
        return (values, count)
    }

    func put(_ id: String, _ values: [String: JSONValue]) throws {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            try connection.execute(statements.put, [.text(id), .text(name), .text(value.text)])
        }
    }

    func remove(_ id: String, names: [String]) throws {
        for name in names.sorted() { try connection.execute(statements.remove, [.text(id), .text(name)]) }
    }

    func markDeleted(_ id: String, now: Timestamp) throws {
        let changed = try connection.execute(
            statements.markDeleted, [SQLValue(now), SQLValue(now), .text(id)])
        try requireChange("Configuration group \(id)", changed)
        try connection.execute(statements.removeAll, [.text(id)])
    }

    func instances(_ id: String, after marker: String?, limit: Int) throws -> [ConfiguredInstance] {
        try connection.query(
            statements.instances, [.text(id), .text(marker ?? ""), SQLValue(max(0, limit))]
        ) { row in
            var reader = RowReader(row)
            return ConfiguredInstance(
                id: try reader.text(), name: try reader.text(), projectID: try reader.text(),
                task: InstanceTask(rawValue: try reader.int()) ?? .none, computeHost: try reader.optionalText())
        }
    }

    func instanceCount(_ id: String) throws -> Int {
        try connection.first(statements.instanceCount, [.text(id)]) { row in
            var reader = RowReader(row)
            return try reader.int()
        } ?? 0
    }

    func setConfiguration(_ id: String?, ofInstance instanceID: String, now: Timestamp) throws {
        let changed = try connection.execute(
            statements.setConfiguration, [SQLValue(id), SQLValue(now), .text(instanceID)])
        try requireChange("Instance \(instanceID)", changed)
    }

    private func requireChange(_ what: String, _ changed: Int) throws {
        if changed == 0 { throw StateStoreError(.notFound, "\(what) does not exist.") }
    }

    /// id, name, description, project, version id, created, updated, datastore, version name, version number.
    private static func record(_ row: any StateRow) throws -> ConfigurationRecord {
        var reader = RowReader(row)
        var record = ConfigurationRecord(
            id: try reader.text(), name: try reader.text(), description: try reader.optionalText(),
            projectID: try reader.text(), datastoreVersionID: try reader.text(), created: try reader.time())
        record.updated = try reader.time()
        record.datastoreName = try reader.text()
        record.datastoreVersionName = try reader.text()
        record.datastoreVersionNumber = try reader.text()
        return record
    }
}
