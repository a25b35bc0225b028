// SPDX-License-Identifier: Apache-2.0

/// Statements on `secrets`, `secret_containers` and `secret_container_members`, the same in every dialect. Placeholders in the
/// order of the comments.
struct SecretStatements: Sendable {
    /// the columns of `columns`
    let insert: String
    /// id → `columns`
    let find: String
    /// project, now, then whether any and which: name, type, algorithm, mode, bits; limit, offset → `columns`
    let page: String
    /// as `page`, without limit and offset → number
    let count: String
    /// content type, payload, updated, id; only where there is no payload
    let setPayload: String
    /// id
    let remove: String
    /// secret
    let leaveContainers: String
    /// project, now → id
    let expired: String
    /// id, project, name, type, creator, created, updated
    let insertContainer: String
    /// container, secret, name
    let insertMember: String
    /// id → the columns of `containerColumns`, a row a member
    let container: String
    /// project, whether any name, name, whether any type, type, limit, offset → as `container`
    let containers: String
    /// project, whether any name, name, whether any type, type → number
    let countContainers: String
    /// container
    let emptyContainer: String
    /// id
    let removeContainer: String
}

extension SecretStatements {
    private static let columns = """
        id, tenant_id, name, type, algorithm, cipher_mode, key_bits, expires, content_type, payload, creator_id, created, \
        updated
        """
    private static let live = """
        tenant_id = ? AND (expires IS NULL OR expires > ?) AND (? = 1 OR name = ?) AND (? = 1 OR type = ?) \
        AND (? = 1 OR algorithm = ?) AND (? = 1 OR cipher_mode = ?) AND (? = 1 OR key_bits = ?)
        """
    private static let order = "ORDER BY created, id LIMIT ? OFFSET ?"
    private static let containerColumns = """
        c.id, c.tenant_id, c.name, c.type, c.creator_id, c.created, c.updated, m.name, m.secret_id
        """
    private static let members = "LEFT JOIN secret_container_members m ON m.container_id = c.id"
    private static let ofFilter = "tenant_id = ? AND (? = 1 OR name = ?) AND (? = 1 OR type = ?)"

    static let common = SecretStatements(
        insert: "INSERT INTO secrets (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        find: "SELECT \(columns) FROM secrets WHERE id = ?",
        page: "SELECT \(columns) FROM secrets WHERE \(live) \(order)",
        count: "SELECT COUNT(*) FROM secrets WHERE \(live)",
        setPayload: """
            UPDATE secrets SET content_type = ?, payload = ?, updated = ? WHERE id = ? AND payload IS NULL
            """,
        remove: "DELETE FROM secrets WHERE id = ?",
        leaveContainers: "DELETE FROM secret_container_members WHERE secret_id = ?",
        expired: "SELECT id FROM secrets WHERE tenant_id = ? AND expires <= ?",
        insertContainer: """
            INSERT INTO secret_containers (id, tenant_id, name, type, creator_id, created, updated)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
        insertMember: "INSERT INTO secret_container_members (container_id, secret_id, name) VALUES (?, ?, ?)",
        container: "SELECT \(containerColumns) FROM secret_containers c \(members) WHERE c.id = ? ORDER BY m.name",
        containers: """
            SELECT \(containerColumns)
            FROM (SELECT id, tenant_id, name, type, creator_id, created, updated FROM secret_containers
                WHERE \(ofFilter) \(order)) c
            \(members) ORDER BY c.created, c.id, m.name
            """,
        countContainers: "SELECT COUNT(*) FROM secret_containers WHERE \(ofFilter)",
        emptyContainer: "DELETE FROM secret_container_members WHERE container_id = ?",
        removeContainer: "DELETE FROM secret_containers WHERE id = ?"
    )
}
