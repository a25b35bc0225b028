// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Policy
import StateStore

/// What the operator's files say: flavors, plugins, datastores, who may do what.
struct Catalogue: Sendable {
    var flavors: [Flavor]
    var plugins: PluginFile
    var datastores: [DatastoreFile]
    var policy: PolicyRules
    /// Searched for plugins in this order.
    var pluginDirectories: [String]
    /// What the operator's commands decided.
    var decisions: PluginState

    /// Reads the files; each is looked for in the home's `config` first, then in the sample configuration.
    static func read(home: Home, installation: Installation) throws -> Catalogue {
        func file(_ name: String) -> String {
            let own = home.configuration + "/" + name
            return Files.exists(own) ? own : installation.configuration + "/" + name
        }
        return Catalogue(
            flavors: try FlavorFile.read(file("flavors.yaml")),
            plugins: try PluginFile.read(file("plugins.yaml"), home: home),
            datastores: try DatastoreFile.readAll(file("datastores")),
            policy: try PolicyFile.read(file("policy.yaml")),
            pluginDirectories: [home.installedPlugins, home.plugins, installation.plugins],
            decisions: try PluginStateFile(home).read()
        )
    }

    /// References of every plugin that is enabled: by a list, by a datastore version, or by a command.
    var enabledPlugins: Set<String> {
        datastores.reduce(into: plugins.enabled.union(decisions.enabled)) { $0.formUnion($1.references) }
    }

    /// Ids and references that are never loaded, whoever names them.
    var disabledPlugins: Set<String> { plugins.disabled.union(decisions.disabled) }

    /// What the plugin runner is to map.
    ///
    /// - Parameter pinned: References `id@version` that instances keep; those that are on disk are mapped beside the active
    ///   versions.
    func selection(pinned: Set<String>) -> PluginSelection {
        PluginSelection(
            directories: pluginDirectories, enabled: enabledPlugins.union(pinned), disabled: disabledPlugins,
            active: decisions.active, settings: plugins.settings, trust: plugins.trust,
            egress: plugins.egress, http: plugins.http)
    }

    /// Makes the catalogue's rows equal to the files, and says what changed. A version whose file is gone stays for the
    /// instances that use it, but is not active. What administrators made by the API stays as it is, unless a file names
    /// it: then it is the file's.
    func reconcile(_ store: any StateStore, random: any RandomSource, logger: Logger) async throws {
        let datastores = datastores
        let changes = try await store.write(.durable) { transaction -> [String] in
            var changes: [String] = []
            var seen: Set<String> = []
            for file in datastores {
                changes += try Self.reconcile(file, transaction, random: random, seen: &seen)
            }
            return try changes + Self.leave(versionsBut: seen, transaction)
        }
        for change in changes { logger.notice("catalogue changed", metadata: ["change": "\(change)"]) }
    }

    /// What no file names any more is not active, and anybody's who may manage versions.
    private static func leave(versionsBut seen: Set<String>, _ transaction: any StateTransaction) throws -> [String] {
        var changes: [String] = []
        for var version in try transaction.datastores.allVersions() where !seen.contains(version.id) {
            guard version.manager == nil, version.isActive || version.sourceFile != nil else { continue }
            if version.isActive { changes.append("version \(version.name): no file names it any more, not active") }
            version.isActive = false
            version.sourceFile = nil
            try transaction.datastores.upsert(version)
        }
        return changes
    }

    private static func reconcile(
        _ file: DatastoreFile, _ transaction: any StateTransaction, random: any RandomSource, seen: inout Set<String>
    ) throws -> [String] {
        var changes: [String] = []
        let known = try transaction.datastores.find(idOrName: file.datastore)
        let id = try known?.id ?? transaction.datastores.removedID(name: file.datastore) ?? random.uuid()
        var datastore = known ?? DatastoreRecord(id: id, name: file.datastore, defaultVersionID: nil)
        if known == nil {
            try transaction.datastores.upsert(datastore)
            changes.append("datastore \(file.datastore) added")
        }
        let versions = try transaction.datastores.versions(datastoreID: datastore.id)
        var preferred: String?
        for entry in file.versions {
            let named = versions.filter { $0.name == entry.name }
            // A file may change the number of its version; another number of an administrator's version is another version.
            let old = named.first { $0.number == entry.number } ?? named.first { $0.manager == nil }
            var record = DatastoreVersionRecord(
                id: old?.id ?? random.uuid(), datastoreID: datastore.id, name: entry.name, number: entry.number,
                isActive: entry.isActive, packages: entry.packages,
                plugins: entry.pluginDocument
            )
            record.sourceFile = file.path.split(separator: "/").last.map(String.init)
            seen.insert(record.id)
            if entry.name == file.defaultVersion { preferred = record.id }
            guard record != old else { continue }
            try transaction.datastores.upsert(record)
            changes.append("\(file.datastore) \(entry.name) \(old == nil ? "added" : "changed")")
        }
        // Where the file names none, an administrator may have.
        let chosen = versions.first { $0.id == datastore.defaultVersionID && !seen.contains($0.id) }
        if preferred == nil, let chosen, chosen.manager != nil { preferred = chosen.id }
        if datastore.defaultVersionID != preferred {
            datastore.defaultVersionID = preferred
            try transaction.datastores.upsert(datastore)
            changes.append("\(file.datastore): default version is \(file.defaultVersion ?? "none")")
        }
        return changes
    }
}
