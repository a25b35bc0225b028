// SPDX-License-Identifier: Apache-2.0

import Model

/// Takes what a database of the reference service holds into a state store.
package enum ReferenceImport {
    /// What was done.
    package struct Report: Sendable, Hashable {
        /// Rows of one kind.
        package struct Count: Sendable, Hashable {
            package var noun: String
            /// Rows that were read.
            package var found: Int
            /// Of them, rows that are new here; the others are here already.
            package var added: Int
        }

        package var counts: [Count] = []
        /// What is not taken, or not as it was; a sentence each.
        package var notes: [String] = []
    }

    /// Rows in one transaction.
    private static let batch = 200

    /// Reads one snapshot of the source, which is not changed, and adds what is not here yet; rows that are here stay as
    /// they are, so that it can be repeated.
    ///
    /// Datastores and versions are matched by name. Ids, times, keys and addresses are kept.
    ///
    /// - Parameter store: nil: nothing is written, and everything counts as added.
    /// - Throws: `StateStoreError`.
    package static func run(
        from source: StateStoreConfiguration, into store: (any StateStore)?
    ) async throws -> Report {
        let database = try await ReferenceDatabase.read(source)
        var report = Report(notes: database.notes)
        guard let store else {
            let versions = database.datastores.map(\.versions.count).reduce(0, +)
            for (noun, count) in [
                ("datastores", database.datastores.count), ("datastore versions", versions),
                ("configurations", database.groups.count), ("clusters", database.clusters.count),
                ("instances", database.instances.count), ("backups", database.backups.count),
                ("backup strategies", database.strategies.count),
                ("quotas", database.quotas.count),
            ] { report.counts.append(Report.Count(noun: noun, found: count, added: count)) }
            return report
        }
        let datastores = database.datastores
        let catalogue = try await store.write(.durable) { try addDatastores(datastores, $0) }
        report.counts += catalogue.counts
        report.notes += catalogue.notes
        var (groups, instances, backups) = (database.groups, database.instances, database.backups)
        func here(_ id: String) -> String { catalogue.ids[id] ?? id }
        var clusters = database.clusters
        for index in clusters.indices { clusters[index].datastoreVersionID = here(clusters[index].datastoreVersionID) }
        for index in groups.indices {
            groups[index].record.datastoreVersionID = here(groups[index].record.datastoreVersionID)
        }
        for index in instances.indices {
            instances[index].datastoreVersionID = here(instances[index].datastoreVersionID)
        }
        for index in backups.indices { backups[index].datastoreVersionID = here(backups[index].datastoreVersionID) }
        report.counts.append(
            try await add("configurations", groups, store) { group, transaction in
                guard try transaction.configurations.find(group.record.id) == nil else { return false }
                try transaction.configurations.insert(group.record)
                try transaction.configurations.put(group.record.id, group.values)
                return true
            })
        report.counts.append(
            try await add("clusters", clusters, store) { record, transaction in
                guard try transaction.clusters.find(record.id) == nil else { return false }
                try transaction.clusters.insert(record)
                return true
            })
        report.counts.append(
            try await add("instances", instances, store) { record, transaction in
                guard try transaction.instances.find(record.id) == nil else { return false }
                try transaction.instances.insert(record)
                return true
            })
        try await addDetails(database, store)
        report.counts.append(
            try await add("backups", backups, store) { record, transaction in
                guard try transaction.backups.find(record.id) == nil else { return false }
                try transaction.backups.insert(record)
                return true
            })
        report.counts.append(
            try await add("backup strategies", database.strategies, store) { record, transaction in
                let known = try transaction.backupStrategies.all(
                    projectID: record.projectID, instanceID: record.instanceID)
                guard !known.contains(where: { $0.instanceID == record.instanceID }) else { return false }
                try transaction.backupStrategies.put(record)
                return true
            })
        report.counts.append(try await addQuotas(database.quotas, store))
        return report
    }

    private struct Catalogue: Sendable {
        var counts: [Report.Count]
        var notes: [String]
        /// The version here for each version there.
        var ids: [String: String]
    }

    private static func addDatastores(
        _ datastores: [ReferenceDatabase.Datastore], _ transaction: any StateTransaction
    ) throws -> Catalogue {
        var (added, versions, addedVersions) = (0, 0, 0)
        var notes: [String] = []
        var ids: [String: String] = [:]
        for datastore in datastores {
            var record = datastore.record
            let known = try transaction.datastores.find(idOrName: record.name)
            if let known {
                record.id = known.id
            } else {
                try transaction.datastores.upsert(record)
                added += 1
            }
            let here = try transaction.datastores.versions(datastoreID: record.id)
            for var version in datastore.versions {
                versions += 1
                let there = version.id
                let match =
                    here.first { $0.name == version.name && $0.number == version.number }
                    ?? here.first { $0.name == version.name }
                if let match {
                    ids[there] = match.id
                    continue
                }
                version.datastoreID = record.id
                try transaction.datastores.upsert(version)
                ids[there] = version.id
                addedVersions += 1
                notes.append(
                    "\(record.name) \(version.name) has no plugin yet; a file in 'datastores' that names both gives it one."
                )
            }
        }
        return Catalogue(
            counts: [
                Report.Count(noun: "datastores", found: datastores.count, added: added),
                Report.Count(noun: "datastore versions", found: versions, added: addedVersions),
            ], notes: notes, ids: ids)
    }

    /// - Parameter insert: False when the row is here already.
    private static func add<Record: Sendable>(
        _ noun: String, _ records: [Record], _ store: any StateStore,
        _ insert: @Sendable @escaping (Record, any StateTransaction) throws -> Bool
    ) async throws -> Report.Count {
        var count = Report.Count(noun: noun, found: records.count, added: 0)
        for start in stride(from: 0, to: records.count, by: batch) {
            let part = records[start..<min(start + batch, records.count)]
            count.added += try await store.write(.durable) { transaction in
                try part.count { try insert($0, transaction) }
            }
        }
        return count
    }

    /// Faults and root's history of the instances that are here.
    private static func addDetails(_ database: ReferenceDatabase, _ store: any StateStore) async throws {
        let taken = Set(database.instances.map(\.id))
        for fault in database.faults where taken.contains(fault.instanceID) {
            try await store.write(.relaxed) { transaction in
                guard try transaction.faults.find(instanceID: fault.instanceID) == nil else { return }
                try transaction.faults.save(fault)
            }
        }
        for root in database.roots where taken.contains(root.instanceID) {
            try await store.write(.relaxed) { transaction in
                guard try transaction.rootHistory.find(instanceID: root.instanceID) == nil else { return }
                try transaction.rootHistory.record(
                    instanceID: root.instanceID, userID: root.userID, now: root.created)
            }
        }
    }

    private static func addQuotas(
        _ quotas: [ReferenceDatabase.Quota], _ store: any StateStore
    ) async throws -> Report.Count {
        let added = try await store.write(.durable) { transaction in
            try quotas.count { quota in
                guard try transaction.quotas.limits(projectID: quota.projectID)[quota.resource] == nil else {
                    return false
                }
                try transaction.quotas.setLimit(
                    projectID: quota.projectID, resource: quota.resource, limit: quota.limit)
                return true
            }
        }
        return Report.Count(noun: "quotas", found: quotas.count, added: added)
    }
}
