// SPDX-License-Identifier: Apache-2.0

import Model

/// What two plugins, or a plugin and the core, cannot both have.
enum PluginClashes {
    /// A plugin's actions against the core's and against those of plugins that serve a datastore with it. Versions of one
    /// plugin do not clash: an instance has one of them.
    ///
    /// - Throws: `PluginRefusal` with cause `clash`, naming both sides.
    static func check(_ candidate: PluginCandidate, against others: [PluginManifest]) throws(PluginRefusal) {
        let manifest = candidate.manifest
        for action in manifest.actions {
            if CoreAction(rawValue: action.name) != nil {
                throw PluginRefusal(
                    path: candidate.directory, id: manifest.id, cause: .clash,
                    message: "action '\(action.name)' of '\(manifest.id)' is an action of the core already")
            }
            let other = others.first { other in
                other.id != manifest.id && other.actions.contains { $0.name == action.name }
                    && PluginDatastore.overlap(manifest.datastores, other.datastores)
            }
            if let other {
                throw PluginRefusal(
                    path: candidate.directory, id: manifest.id, cause: .clash,
                    message:
                        "action '\(action.name)' of '\(manifest.id)' is an action of '\(other.id)' already, and both "
                        + "serve the same datastores; name those of each in its manifest's datastores, or enable one")
            }
        }
    }

    /// A plugin's routes against the core's and against those of other plugins.
    ///
    /// - Parameter core: `METHOD /path`; `*` for every method.
    /// - Throws: `PluginRefusal` with cause `clash`, naming both sides.
    static func check(
        _ plugin: LoadedPlugin, core: [String], others: [PluginRoute]
    ) throws(PluginRefusal) {
        for route in plugin.routes {
            let own = "\(route.method) \(route.path)"
            if let clash = core.first(where: { overlap($0, own) }) {
                throw refuse(plugin, "\(own) of '\(plugin.manifest.id)' is the core's route \(clash) already")
            }
            let clash = others.first {
                $0.pluginID != route.pluginID && overlap("\($0.method) \($0.path)", own)
            }
            if let clash {
                throw refuse(
                    plugin, "\(own) of '\(plugin.manifest.id)' is \(clash.path) of '\(clash.pluginID)' already")
            }
        }
    }

    /// A plugin's module type against those of other plugins.
    ///
    /// - Throws: `PluginRefusal` with cause `clash`, naming both sides.
    static func check(_ plugin: LoadedPlugin, drivers: [LoadedPlugin]) throws(PluginRefusal) {
        guard let type = plugin.moduleType else { return }
        let other = drivers.first { $0.moduleType == type && $0.manifest.id != plugin.manifest.id }
        guard let other else { return }
        throw refuse(
            plugin, "modules of type '\(type)' of '\(plugin.manifest.id)' are served by '\(other.manifest.id)' already")
    }

    /// Whether one request could be meant for both routes.
    static func overlap(_ left: String, _ right: String) -> Bool {
        let left = left.split(separator: " ", maxSplits: 1)
        let right = right.split(separator: " ", maxSplits: 1)
        guard left.count == 2, right.count == 2, left[0] == right[0] || left[0] == "*" || right[0] == "*" else {
            return false
        }
        let (one, two) = (left[1].split(separator: "/"), right[1].split(separator: "/"))
        return one.count == two.count
            && zip(one, two).allSatisfy { $0 == $1 || $0.hasPrefix("{") || $1.hasPrefix("{") }
    }

    private static func refuse(_ plugin: LoadedPlugin, _ message: String) -> PluginRefusal {
        PluginRefusal(path: plugin.directory, id: plugin.manifest.id, cause: .clash, message: message)
    }
}

extension PluginDatastore {
    /// Whether plugins with these declarations can serve one instance; nil is any datastore.
    static func overlap(_ left: [PluginDatastore]?, _ right: [PluginDatastore]?) -> Bool {
        guard let left, let right else { return true }
        return left.contains { one in
            right.contains { two in
                guard one.name == two.name else { return false }
                guard let versions = one.versions, let others = two.versions else { return true }
                return versions.contains(where: others.contains)
            }
        }
    }

    /// Whether a declaration covers a datastore version; nil is any.
    package static func covers(_ datastores: [PluginDatastore]?, _ name: String, _ version: String) -> Bool {
        overlap(datastores, [PluginDatastore(name: name, versions: [version])])
    }
}
