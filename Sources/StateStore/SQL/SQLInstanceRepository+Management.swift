// SPDX-License-Identifier: Apache-2.0

import Model

/// Statements for administrators, who see deleted instances too. Placeholders in the order of the comments.
struct ManagedInstanceStatements: Sendable {
    /// Which rows a page has.
    struct Filter: Sendable, Hashable {
        var byProject: Bool
        /// nil: live and deleted ones.
        var isDeleted: Bool?
        /// Without, the members of clusters are left out.
        var withMembers = true
    }

    /// id → the columns of `SQLInstanceRepository.managed`
    let find: String
    /// of one kind: project if the filter has it, limit, offset → as `find`, the newest change first.
    /// Of both: project, bound, project, bound, limit, offset; the bound is limit and offset together.
    let page: @Sendable (Filter) -> String
    /// host → as `SQLInstanceRepository.summary`
    let ofHost: String

    /// The ids of a page, from an index alone.
    ///
    /// - Parameter table: `instances`, with the index that holds what the filter compares, and then the order.
    static func ids(_ filter: Filter, _ table: String) -> String {
        let project = filter.byProject ? "tenant_id = ? AND " : ""
        let members = filter.withMembers ? "" : "AND cluster_id IS NULL "
        func part(_ isDeleted: Bool, _ columns: String) -> String {
            """
            SELECT \(columns) FROM \(table) WHERE \(project)deleted = \(isDeleted ? 1 : 0) \
            \(members)\
            ORDER BY updated DESC, id DESC LIMIT ?
            """
        }
        if let isDeleted = filter.isDeleted { return part(isDeleted, "id") + " OFFSET ?" }
        let parts = [false, true].map { isDeleted in
            "SELECT id, updated FROM (\(part(isDeleted, "id, updated"))) \(isDeleted ? "gone" : "live")"
        }
        return """
            SELECT id FROM (\(parts.joined(separator: " UNION ALL "))) both_kinds \
            ORDER BY updated DESC, id DESC LIMIT ? OFFSET ?
            """
    }
}

extension SQLInstanceRepository {
    func managed(_ id: String) throws -> ManagedInstance? {
        try connection.first(statements.managed.find, [.text(id)], Self.managed)
    }

    func managedPage(
        projectID: String?, isDeleted: Bool?, withMembers: Bool, offset: Int, limit: Int
    ) throws -> [ManagedInstance] {
        let (limit, offset) = (max(0, limit), max(0, offset))
        let project = projectID.map { [SQLValue.text($0)] } ?? []
        let bounds = [SQLValue(limit), SQLValue(offset)]
        let (bound, overflows) = limit.addingReportingOverflow(offset)
        let part = project + [SQLValue(overflows ? Int.max : bound)]
        return try connection.query(
            statements.managed.page(.init(byProject: projectID != nil, isDeleted: isDeleted, withMembers: withMembers)),
            isDeleted == nil ? part + part + bounds : project + bounds, Self.managed
        )
    }

    // The next three are the same in every dialect; each reads one index alone.

    func countsByProject() throws -> [(name: String, count: Int)] {
        try connection.query(
            "SELECT tenant_id, COUNT(*) FROM instances WHERE deleted = 0 GROUP BY tenant_id ORDER BY tenant_id", [],
            Self.count)
    }

    func ids(ofProject projectID: String) throws -> [String] {
        try connection.query(
            "SELECT id FROM instances WHERE tenant_id = ? AND deleted = 0 ORDER BY id", [.text(projectID)]
        ) { row in
            var reader = RowReader(row)
            return try reader.text()
        }
    }

    func countsByHost() throws -> [(name: String, count: Int)] {
        try connection.query(
            """
            SELECT compute_host, COUNT(*) FROM instances WHERE deleted = 0 AND compute_host IS NOT NULL
            GROUP BY compute_host ORDER BY compute_host
            """, [], Self.count)
    }

    func summaries(ofHost host: String) throws -> [InstanceSummary] {
        try connection.query(statements.managed.ofHost, [.text(host)], Self.summary)
    }

    private static func count(_ row: any StateRow) throws -> (name: String, count: Int) {
        var reader = RowReader(row)
        return (name: try reader.text(), count: try reader.int())
    }

    /// The columns of `summary`, then who enabled root and when (NULL without).
    static func managed(_ row: any StateRow) throws -> ManagedInstance {
        var reader = RowReader(row)
        let summary = try summary(&reader)
        guard let userID = try reader.optionalText() else { return ManagedInstance(summary: summary, root: nil) }
        return ManagedInstance(summary: summary, root: RootEnabling(userID: userID, created: try reader.time()))
    }
}
