// SPDX-License-Identifier: Apache-2.0

extension QuotaStatements {
    static let sqlite = QuotaStatements(
        beginAdmission: nil,
        instances: """
            SELECT flavor_id, COUNT(*), SUM(volume_size) FROM instances
            WHERE tenant_id = ? AND deleted = 0 GROUP BY flavor_id
            """,
        resizes: """
            SELECT input FROM journal WHERE state IN ('ready', 'running') AND tenant_id = ?
            AND flow IN ('resize_volume', 'resize_flavor')
            """,
        backups: "SELECT COUNT(*) FROM backups WHERE tenant_id = ? AND deleted = 0",
        limits: "SELECT resource, hard_limit FROM quotas WHERE tenant_id = ?",
        setLimit: """
            INSERT INTO quotas (tenant_id, resource, hard_limit) VALUES (?, ?, ?)
            ON CONFLICT (tenant_id, resource) DO UPDATE SET hard_limit = excluded.hard_limit
            """
    )
}
