// SPDX-License-Identifier: Apache-2.0

import Model

struct SQLSecretRepository: SecretRepository {
    let connection: any StateConnection
    let statements: SecretStatements

    func insert(_ record: SecretRecord) throws {
        try connection.execute(
            statements.insert,
            [
                .text(record.id), .text(record.projectID), SQLValue(record.name), .text(record.type),
                SQLValue(record.algorithm), SQLValue(record.mode), SQLValue(record.bitLength), SQLValue(record.expires),
                SQLValue(record.contentType), SQLValue(record.payload), .text(record.creatorID),
                SQLValue(record.created), SQLValue(record.updated),
            ])
    }

    func find(_ id: String) throws -> SecretRecord? {
        try connection.first(statements.find, [.text(id)], Self.record)
    }

    func page(
        projectID: String, _ filter: SecretFilter, now: Timestamp, offset: Int, limit: Int
    ) throws -> [SecretRecord] {
        try connection.query(
            statements.page, Self.values(projectID, filter, now) + [SQLValue(limit), SQLValue(offset)], Self.record)
    }

    func count(projectID: String, _ filter: SecretFilter, now: Timestamp) throws -> Int {
        try connection.first(statements.count, Self.values(projectID, filter, now), Self.number) ?? 0
    }

    func setPayload(_ id: String, contentType: String, payload: String, now: Timestamp) throws {
        let changed = try connection.execute(
            statements.setPayload, [.text(contentType), .text(payload), SQLValue(now), .text(id)])
        guard changed == 0 else { return }
        guard try find(id) != nil else { throw Self.missing(id) }
        throw StateStoreError(.conflict, "Secret \(id) has a payload already.")
    }

    func remove(_ id: String) throws {
        try connection.execute(statements.leaveContainers, [.text(id)])
        guard try connection.execute(statements.remove, [.text(id)]) > 0 else { throw Self.missing(id) }
    }

    func removeExpired(projectID: String, now: Timestamp) throws {
        let gone = try connection.query(statements.expired, [.text(projectID), SQLValue(now)]) { row in
            var reader = RowReader(row)
            return try reader.text()
        }
        // Somebody else may be removing them too.
        for id in gone {
            try connection.execute(statements.leaveContainers, [.text(id)])
            try connection.execute(statements.remove, [.text(id)])
        }
    }

    func insertContainer(_ record: SecretContainerRecord) throws {
        try connection.execute(
            statements.insertContainer,
            [
                .text(record.id), .text(record.projectID), SQLValue(record.name), .text(record.type),
                .text(record.creatorID), SQLValue(record.created), SQLValue(record.updated),
            ])
        for member in record.members {
            try connection.execute(
                statements.insertMember, [.text(record.id), .text(member.secretID), SQLValue(member.name)])
        }
    }

    func container(_ id: String) throws -> SecretContainerRecord? {
        Self.gather(try connection.query(statements.container, [.text(id)], Self.containerRow)).first
    }

    func containers(
        projectID: String, name: String?, type: String?, offset: Int, limit: Int
    ) throws -> [SecretContainerRecord] {
        Self.gather(
            try connection.query(
                statements.containers,
                Self.containerFilter(projectID, name, type) + [SQLValue(limit), SQLValue(offset)], Self.containerRow))
    }

    func countContainers(projectID: String, name: String?, type: String?) throws -> Int {
        try connection.first(
            statements.countContainers, Self.containerFilter(projectID, name, type), Self.number) ?? 0
    }

    func removeContainer(_ id: String) throws {
        try connection.execute(statements.emptyContainer, [.text(id)])
        guard try connection.execute(statements.removeContainer, [.text(id)]) > 0 else {
            throw StateStoreError(.notFound, "Container \(id) does not exist.")
        }
    }

    private static func missing(_ id: String) -> StateStoreError {
        StateStoreError(.notFound, "Secret \(id) does not exist.")
    }

    private static func values(_ projectID: String, _ filter: SecretFilter, _ now: Timestamp) -> [SQLValue] {
        let texts = [filter.name, filter.type, filter.algorithm, filter.mode].flatMap { text -> [SQLValue] in
            [SQLValue(text == nil ? 1 : 0), .text(text ?? "")]
        }
        return [.text(projectID), SQLValue(now)] + texts
            + [SQLValue(filter.bitLength == nil ? 1 : 0), SQLValue(filter.bitLength ?? 0)]
    }

    private static func containerFilter(_ projectID: String, _ name: String?, _ type: String?) -> [SQLValue] {
        [
            .text(projectID), SQLValue(name == nil ? 1 : 0), .text(name ?? ""), SQLValue(type == nil ? 1 : 0),
            .text(type ?? ""),
        ]
    }

    private static func number(_ row: any StateRow) throws -> Int {
        var reader = RowReader(row)
        return try reader.int()
    }

    private static func record(_ row: any StateRow) throws -> SecretRecord {
        var reader = RowReader(row)
        let (id, projectID, name) = (try reader.text(), try reader.text(), try reader.optionalText())
        let (type, algorithm, mode) = (try reader.text(), try reader.optionalText(), try reader.optionalText())
        let (bits, expires) = (try reader.optionalInt(), try reader.optionalTime())
        let (contentType, payload) = (try reader.optionalText(), try reader.optionalText())
        var record = SecretRecord(
            id: id, projectID: projectID, type: type, creatorID: try reader.text(), created: try reader.time())
        record.updated = try reader.time()
        record.name = name
        record.algorithm = algorithm
        record.mode = mode
        record.bitLength = bits
        record.expires = expires
        record.contentType = contentType
        record.payload = payload
        return record
    }

    /// A container with one of its members, or without any.
    private static func containerRow(_ row: any StateRow) throws -> SecretContainerRecord {
        var reader = RowReader(row)
        var record = SecretContainerRecord(
            id: try reader.text(), projectID: try reader.text(), name: try reader.optionalText(),
            type: try reader.text(), creatorID: try reader.text(), created: try reader.time())
        record.updated = try reader.time()
        let name = try reader.optionalText()
        if let id = try reader.optionalText() { record.members = [.init(name: name, secretID: id)] }
        return record
    }

    private static func gather(_ rows: [SecretContainerRecord]) -> [SecretContainerRecord] {
        rows.reduce(into: []) { records, row in
            if records.last?.id == row.id {
                records[records.count - 1].members += row.members
            } else {
                records.append(row)
            }
        }
    }
}
