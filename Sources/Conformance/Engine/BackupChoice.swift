// SPDX-License-Identifier: Apache-2.0

import Model

/// The backup strategy that goes with a datastore: the one that was named, or one beside it for the same engine.
struct BackupChoice {
    /// nil when there is none.
    let files: (libraryPath: String, id: String)?

    /// - Throws: `ConformanceError` when the named one cannot be used.
    init(files plugin: PluginFiles, named: String?) throws(ConformanceError) {
        if let named {
            // The child that maps it has a working directory of its own.
            guard let path = FileTree.resolved(named), let found = Self.strategy(path) else {
                throw ConformanceError("\(named): no plugin.json that provides trove.backup/1")
            }
            files = (found.libraryPath, found.id)
            return
        }
        if plugin.provides.contains("trove.backup/1") {
            files = (plugin.libraryPath, plugin.id)
            return
        }
        let parent = plugin.directory.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
        let engines = Self.engines(plugin.manifest)
        files = FileTree.names(parent).lazy.compactMap { Self.strategy(parent + "/" + $0) }.first {
            !Self.engines($0.manifest).isDisjoint(with: engines)
        }.map { ($0.libraryPath, $0.id) }
    }

    private static func engines(_ manifest: JSONValue) -> Set<String> {
        Set((manifest["datastores"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue })
    }

    private static func strategy(_ directory: String) -> (libraryPath: String, id: String, manifest: JSONValue)? {
        guard let bytes = FileTree.read(directory + "/plugin.json", limit: 1 << 20),
            let manifest = try? JSONValue(parsing: bytes), let id = manifest["id"]?.stringValue,
            let file = manifest["library"]?["file"]?.stringValue,
            (manifest["provides"]?.arrayValue ?? []).contains("trove.backup/1")
        else { return nil }
        return (directory + "/" + file, id, manifest)
    }
}
