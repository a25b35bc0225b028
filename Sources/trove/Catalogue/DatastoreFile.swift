// SPDX-License-Identifier: Apache-2.0

import Model
import Yams

/// One file of `datastores/`: a datastore and the versions that an operator enables, each naming its plugins.
struct DatastoreFile: Sendable {
    struct Version: Sendable {
        var name: String
        var number: String
        var packages: [String]
        var isActive: Bool
        /// Plugin references by role: `datastore`, `backup`, `replication`.
        var plugins: [String: String]
        /// References of plugins beside these, for their actions and modules.
        var extra: [String] = []

        /// As the catalogue's row has them: `{"datastore", "backup"?, "replication"?, "extra"?: […]}`.
        var pluginDocument: JSONValue {
            var members = plugins.mapValues(JSONValue.string)
            if !extra.isEmpty { members["extra"] = .array(extra.map(JSONValue.string)) }
            return .object(members)
        }
    }

    var path: String
    var datastore: String
    var defaultVersion: String?
    var versions: [Version]

    /// Every reference that the file names, `id` or `id@version`.
    var references: Set<String> { Set(versions.flatMap { Array($0.plugins.values) + $0.extra }) }

    /// Reads every `*.yaml` of a directory, in name order; a datastore may have one file.
    static func readAll(_ directory: String) throws -> [DatastoreFile] {
        var files: [DatastoreFile] = []
        for name in try names(in: directory) {
            let file = try read(directory + "/" + name)
            if let other = files.first(where: { $0.datastore == file.datastore }) {
                throw StartError("\(file.path): the datastore '\(file.datastore)' is in \(other.path) already")
            }
            files.append(file)
        }
        return files
    }

    static func read(_ path: String) throws -> DatastoreFile {
        let file = try YAMLDocument(path: path)
        let members = try file.mapping(
            file.root, allowed: ["datastore", "default_version", "versions"], what: "a datastore file"
        )
        let name = try file.requiredText(members, "datastore", of: file.root, what: "a datastore file")
        var versions: [Version] = []
        for node in try file.sequence(members["versions"], what: "'versions'") {
            let version = try version(node, file)
            guard !versions.contains(where: { $0.name == version.name }) else {
                throw file.error(node, "version '\(version.name)' appears twice")
            }
            versions.append(version)
        }
        guard !versions.isEmpty else { throw file.error(file.root, "'\(name)' needs at least one version") }
        let preferred = try file.text(members["default_version"], what: "'default_version'")
        if let preferred, !versions.contains(where: { $0.name == preferred && $0.isActive }) {
            throw file.error(members["default_version"], "'\(preferred)' is not an active version of '\(name)'")
        }
        return DatastoreFile(path: path, datastore: name, defaultVersion: preferred, versions: versions)
    }

    private static func version(_ node: Node, _ file: YAMLDocument) throws -> Version {
        let member = try file.mapping(
            node,
            allowed: ["name", "version", "plugin", "backup", "replication", "plugins", "packages", "active"],
            what: "a version"
        )
        let name = try file.requiredText(member, "name", of: node, what: "a version")
        var plugins = ["datastore": try file.requiredText(member, "plugin", of: node, what: "version '\(name)'")]
        for role in ["backup", "replication"] {
            if let reference = try file.text(member[role], what: "'\(role)'") { plugins[role] = reference }
        }
        var extra: [String] = []
        for item in try file.sequence(member["plugins"], what: "'plugins'") {
            guard let reference = try file.text(item, what: "a plugin reference") else { continue }
            guard !extra.contains(reference), !plugins.values.contains(reference) else {
                throw file.error(item, "version '\(name)' names the plugin \(reference) twice")
            }
            extra.append(reference)
        }
        return Version(
            name: name, number: try file.text(member["version"], what: "'version'") ?? name,
            packages: try file.sequence(member["packages"], what: "'packages'").compactMap {
                try file.text($0, what: "a package name")
            },
            isActive: try file.bool(member["active"], default: true, what: "'active'"), plugins: plugins,
            extra: extra
        )
    }

    private static func names(in directory: String) throws -> [String] {
        guard Files.exists(directory) else { return [] }
        guard let names = Files.names(in: directory) else { throw StartError("cannot read the directory \(directory)") }
        return names.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }
    }
}
