// SPDX-License-Identifier: Apache-2.0

import Model

/// What a child is told on its standard input.
struct ChildOrder: Sendable {
    var group: String
    /// The first scenario to run; those before have been run, or ended an earlier child.
    var from: Int
    var directory: String
    var libraryPath: String
    var manifest: JSONValue
    var schemas: String
    /// An empty directory of the child's own.
    var sandbox: String
    /// Calls in a leak check.
    var repeats: Int
    /// For the group `engine`.
    var engine: EngineOrder?

    var provides: [String] { (manifest["provides"]?.arrayValue ?? []).compactMap(\.stringValue) }
    var requires: [String] { (manifest["requires"]?.arrayValue ?? []).compactMap(\.stringValue) }
    var roles: [String] { (manifest["roles"]?.arrayValue ?? []).compactMap(\.stringValue) }

    /// The first datastore that the plugin is for.
    var datastore: (name: String, version: String) {
        let first = manifest["datastores"]?[0]
        return (first?["name"]?.stringValue ?? "example", first?["versions"]?[0]?.stringValue ?? "1.0")
    }

    /// Every version that the manifest names, or a plain one.
    var versions: [String] {
        let named = (manifest["datastores"]?.arrayValue ?? []).flatMap {
            ($0["versions"]?.arrayValue ?? []).compactMap(\.stringValue)
        }
        return named.isEmpty ? ["1.0"] : named
    }

    var json: JSONValue {
        [
            "group": .string(group), "from": .int(Int64(from)), "directory": .string(directory),
            "library": .string(libraryPath), "manifest": manifest, "schemas": .string(schemas),
            "sandbox": .string(sandbox), "repeats": .int(Int64(repeats)), "engine": engine?.json ?? .null,
        ]
    }
}

extension ChildOrder {
    /// Reads `json`.
    ///
    /// - Throws: `ConformanceError` naming the member.
    init(json: JSONValue) throws(ConformanceError) {
        func text(_ name: String) throws(ConformanceError) -> String {
            guard let text = json[name]?.stringValue else { throw ConformanceError("the order has no \(name)") }
            return text
        }
        self.init(
            group: try text("group"), from: json["from"]?.intValue ?? 0, directory: try text("directory"),
            libraryPath: try text("library"), manifest: json["manifest"] ?? .null, schemas: try text("schemas"),
            sandbox: try text("sandbox"), repeats: json["repeats"]?.intValue ?? 1000,
            engine: json["engine"].flatMap { $0.isNull ? nil : EngineOrder(json: $0) })
    }
}
