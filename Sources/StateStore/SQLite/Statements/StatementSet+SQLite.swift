// SPDX-License-Identifier: Apache-2.0

extension StatementSet {
    /// SQLite 3.38 or later (upsert, RETURNING, STRICT, json_each).
    static let sqlite = StatementSet(
        instances: .sqlite, backups: .sqlite, datastores: .sqlite, journal: .sqlite, ledger: .sqlite, quotas: .sqlite,
        faults: .sqlite, rootHistory: .sqlite, lastSeen: .sqlite, revocations: .sqlite,
        pluginValues: .sqlite, leases: .sqlite, rateBuckets: .sqlite,
        idempotencyKeys: .sqlite,
        configurations: .sqlite, parameters: .common,
        clusters: .make(texts: "(SELECT value FROM json_each(?))", locks: false), modules: .sqlite, events: .sqlite,
        secrets: .common
    )
}
