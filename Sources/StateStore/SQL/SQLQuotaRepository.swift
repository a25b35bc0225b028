// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements on `quotas` and the sums over live rows. Placeholders in the order of the comments.
struct QuotaStatements: Sendable {
    /// project; nil where one transaction writes at a time
    let beginAdmission: String?
    /// project → flavor, count, sum of volume GiB; one row a flavor
    let instances: String
    /// project → input of each live resize
    let resizes: String
    /// project → count
    let backups: String
    /// project → resource, limit
    let limits: String
    /// project, resource, limit
    let setLimit: String
}

struct SQLQuotaRepository: QuotaRepository {
    let connection: any StateConnection
    let statements: QuotaStatements

    func beginAdmission(projectID: String) throws {
        guard let sql = statements.beginAdmission else { return }
        try connection.execute(sql, [.text(projectID)])
    }

    func usage(projectID: String, flavorRAM: [String: Int]) throws -> QuotaUsage {
        var usage = QuotaUsage()
        let flavors = try connection.query(statements.instances, [.text(projectID)]) { row in
            var reader = RowReader(row)
            return (flavor: try reader.text(), count: try reader.int(), volumes: try reader.int())
        }
        for row in flavors {
            usage.instances += row.count
            usage.volumesGiB += row.volumes
            usage.ramMiB += row.count * (flavorRAM[row.flavor] ?? 0)
        }
        let resizes = try connection.query(statements.resizes, [.text(projectID)]) { row in
            var reader = RowReader(row)
            return try reader.json()
        }
        for input in resizes {
            usage.ramMiB += max(0, input["ram_mib_growth"]?.intValue ?? 0)
            usage.volumesGiB += max(0, input["volume_gib_growth"]?.intValue ?? 0)
        }
        let backups = try connection.first(statements.backups, [.text(projectID)]) { row in
            var reader = RowReader(row)
            return try reader.int()
        }
        usage.backups = backups ?? 0
        return usage
    }

    func limits(projectID: String) throws -> [String: Int] {
        let rows = try connection.query(statements.limits, [.text(projectID)]) { row in
            var reader = RowReader(row)
            return (try reader.text(), try reader.int())
        }
        return Dictionary(rows) { _, last in last }
    }

    func setLimit(projectID: String, resource: String, limit: Int) throws {
        try connection.execute(statements.setLimit, [.text(projectID), .text(resource), SQLValue(limit)])
    }
}
