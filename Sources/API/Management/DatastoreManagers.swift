// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore

/// What `datastore_manager` can name: a datastore plugin that is loaded, or a datastore whose versions have one.
struct DatastoreManagers: Sendable {
    let plugins: [PluginDescription]

    /// Plugin references by role, as a version's row has them.
    ///
    /// A plugin brings what the versions that it serves already have beside it, such as the backup strategy; a datastore's
    /// name stands for what its default version has, or else an active one.
    ///
    /// - Parameter besides: The version that is being written.
    /// - Throws: 400 when it names neither.
    func plugins(of manager: String, besides id: String, _ transaction: any StateTransaction) throws -> JSONValue {
        let versions = try transaction.datastores.allVersions().filter {
            $0.id != id && $0.plugins["datastore"]?.stringValue != nil
        }
        let isPlugin = plugins.contains { plugin in
            plugin.isNamed(manager) && plugin.provides.contains { $0.hasPrefix("trove.datastore") }
        }
        if isPlugin {
            let plugin = PluginReference(manager).id
            let like = versions.first { version in
                version.isActive && version.plugins["datastore"]?.stringValue.map { PluginReference($0).id } == plugin
            }
            var members = like?.plugins.objectValue ?? [:]
            members["datastore"] = .string(manager)
            return .object(members)
        }
        let datastore = try transaction.datastores.all().first { $0.name == manager }
        let own = versions.filter { $0.datastoreID == datastore?.id }
        let model =
            own.first { $0.id == datastore?.defaultVersionID } ?? own.first(where: \.isActive) ?? own.first
            ?? versions.first { $0.manager == manager }
        guard let model else {
            let names = Set(
                try transaction.datastores.all().filter { datastore in
                    versions.contains { $0.datastoreID == datastore.id }
                }.map(\.name)
            ).sorted().joined(separator: ", ")
            throw APIFault(
                400,
                "Datastore manager '\(manager)' is not known: name a loaded datastore plugin (id or id@version) or one of"
                    + " the datastores \(names).")
        }
        return model.plugins
    }
}
