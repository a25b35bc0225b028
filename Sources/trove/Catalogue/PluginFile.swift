// SPDX-License-Identifier: Apache-2.0

import Model

/// `plugins.yaml`: plugins that no datastore version names, what plugins are told, and what is never loaded.
struct PluginFile: Sendable {
    var enabled: Set<String> = []
    var disabled: Set<String> = []
    /// Plugin id to the object it gets.
    var settings: [String: JSONValue] = [:]

    static func read(_ path: String) throws -> PluginFile {
        let file = try YAMLDocument(path: path)
        let members = try file.mapping(
            file.root, allowed: ["enabled", "disabled", "configuration"], what: "the plugin file"
        )
        var result = PluginFile()
        for node in try file.sequence(members["enabled"], what: "'enabled'") {
            if let id = try file.text(node, what: "a plugin id") { result.enabled.insert(id) }
        }
        for node in try file.sequence(members["disabled"], what: "'disabled'") {
            if let id = try file.text(node, what: "a plugin id") { result.disabled.insert(id) }
        }
        if let node = members["configuration"] {
            guard case .object(let settings) = try file.json(node) else {
                throw file.error(node, "'configuration' must map plugin ids to objects")
            }
            for (id, value) in settings where value.objectValue == nil {
                throw file.error(node, "the configuration of \(id) must be an object")
            }
            result.settings = settings
        }
        return result
    }
}
