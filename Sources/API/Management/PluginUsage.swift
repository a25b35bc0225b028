// SPDX-License-Identifier: Apache-2.0

import Model
package import PluginHost
package import StateStore

/// Who uses one version of a plugin.
package struct PluginUsage: Sendable, Hashable {
    /// Ids of live instances.
    package var instances: [String]
    /// `datastore version`, by name.
    package var datastoreVersions: [String]
    /// Ids of backups that its strategy made.
    package var backups: [String]

    package init(instances: [String] = [], datastoreVersions: [String] = [], backups: [String] = []) {
        self.instances = instances
        self.datastoreVersions = datastoreVersions
        self.backups = backups
    }

    package var isEmpty: Bool { instances.isEmpty && datastoreVersions.isEmpty && backups.isEmpty }

    /// E.g. `2 instances (id, id), 1 backup (id)`.
    package var description: String {
        [("instance", instances), ("datastore version", datastoreVersions), ("backup", backups)]
            .filter { !$0.1.isEmpty }
            .map { noun, names in
                let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
                return "\(names.count) \(noun)\(names.count == 1 ? "" : "s") (\(shown))"
            }
            .joined(separator: ", ")
    }
}

/// Every reference to a plugin that the state store holds.
package struct PluginReferences: Sendable {
    private struct Use: Sendable {
        var plugin: PluginReference
        var name: String
    }

    private var instances: [Use] = []
    private var versions: [Use] = []
    private var backups: [Use] = []

    package init(_ transaction: any StateTransaction) throws {
        for instance in try transaction.instances.all() {
            instances += Self.uses(instance.plugins, instance.id)
        }
        let datastores = Dictionary(
            try transaction.datastores.all().map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        for version in try transaction.datastores.allVersions() where version.isActive {
            versions += Self.uses(version.plugins, "\(datastores[version.datastoreID] ?? "?") \(version.name)")
        }
        backups = try transaction.backups.all().compactMap { backup in
            backup.backupType.map { Use(plugin: PluginReference($0), name: backup.id) }
        }
    }

    /// - Parameters:
    ///   - isActive: Whether references without a version mean this one.
    ///   - isLast: Whether no other version could read its backups.
    package func usage(of reference: PluginReference, isActive: Bool, isLast: Bool) -> PluginUsage {
        func names(_ uses: [Use], unversioned: Bool) -> [String] {
            var seen: Set<String> = []
            return uses.filter {
                $0.plugin == reference || (unversioned && $0.plugin.version == nil && $0.plugin.id == reference.id)
            }.map(\.name).filter { seen.insert($0).inserted }.sorted()
        }
        return PluginUsage(
            instances: names(instances, unversioned: isActive),
            datastoreVersions: names(versions, unversioned: isActive),
            backups: names(backups, unversioned: isLast))
    }

    private static func uses(_ plugins: JSONValue, _ name: String) -> [Use] {
        PluginReference.all(in: plugins).map { Use(plugin: PluginReference($0), name: name) }
    }
}
