// SPDX-License-Identifier: Apache-2.0

import Model

extension ManifestReader {
    /// `"routes": {"instances": […], "clusters": […], "x": […]}`.
    func routes(_ root: JSONValue) throws(PluginRefusal) -> PluginRouteWords {
        guard let routes = root["routes"] else { return PluginRouteWords() }
        guard let members = routes.objectValue else {
            throw refuse("routes", "must be an object with \"instances\", \"clusters\" or \"x\"")
        }
        var words = PluginRouteWords()
        for name in members.keys.sorted() {
            guard let place = PluginRouteWords.Place(rawValue: name) else {
                throw refuse("routes.\(name)", "is not one of instances, clusters, x")
            }
            let list = try texts(routes[name], "routes.\(name)")
            for word in list where !RoutePattern.isWord(word) {
                throw refuse(
                    "routes.\(name)", "'\(word)' is not a path segment of lower-case letters, digits, '-' and '_'")
            }
            guard Set(list).count == list.count else { throw refuse("routes.\(name)", "names a word twice") }
            words[place] = list
        }
        return words
    }

    /// `"backup_kinds": ["full", "incremental"]`; nil without the member.
    func backupKinds(_ root: JSONValue, provides: [String]) throws(PluginRefusal) -> Set<BackupKind>? {
        guard let value = root["backup_kinds"] else { return nil }
        var kinds: Set<BackupKind> = []
        for word in try texts(value, "backup_kinds") {
            guard let kind = BackupKind(rawValue: word) else {
                throw refuse("backup_kinds", "'\(word)' is not one of full, incremental")
            }
            kinds.insert(kind)
        }
        guard kinds.contains(.full) else {
            throw refuse("backup_kinds", "must have 'full': every strategy makes full backups")
        }
        guard provides.contains("trove.backup/1") else {
            throw refuse("backup_kinds", "is of a backup strategy, and provides does not name trove.backup/1")
        }
        return kinds
    }

    /// `"datastores": [{"name", "versions": […]}]`; nil without the member.
    func datastores(_ root: JSONValue) throws(PluginRefusal) -> [PluginDatastore]? {
        guard let value = root["datastores"] else { return nil }
        guard let items = value.arrayValue, !items.isEmpty else {
            throw refuse("datastores", "must be a list with at least one object")
        }
        var datastores: [PluginDatastore] = []
        for (index, item) in items.enumerated() {
            let place = "datastores[\(index)]"
            guard item.objectValue != nil else { throw refuse(place, "must be an object with \"name\"") }
            let name = try text(item, "name", in: "\(place).")
            guard !datastores.contains(where: { $0.name == name }) else {
                throw refuse("\(place).name", "'\(name)' is there twice")
            }
            let versions = item["versions"] == nil ? nil : try texts(item["versions"], "\(place).versions")
            guard versions?.isEmpty != true else {
                throw refuse("\(place).versions", "must not be empty; without the member any version is meant")
            }
            datastores.append(PluginDatastore(name: name, versions: versions))
        }
        return datastores
    }
}

extension PluginDatastore {
    /// The manifest's member; `null` for any datastore.
    static func json(_ datastores: [PluginDatastore]?) -> JSONValue {
        guard let datastores else { return .null }
        return .array(
            datastores.map { datastore in
                var members: [String: JSONValue] = ["name": .string(datastore.name)]
                members["versions"] = datastore.versions.map { .array($0.map(JSONValue.string)) }
                return .object(members)
            })
    }

    static func list(_ value: JSONValue?) -> [PluginDatastore]? {
        value?.arrayValue?.map { item in
            PluginDatastore(
                name: item["name"]?.stringValue ?? "",
                versions: item["versions"]?.arrayValue?.compactMap(\.stringValue))
        }
    }
}

extension ActionDeclaration {
    /// Reads what `json` wrote, in a process that may be newer: what it does not understand is left out.
    static func list(_ value: JSONValue?) -> [ActionDeclaration] {
        let reader = ManifestReader(path: "")
        return (value?.arrayValue ?? []).compactMap { try? reader.action($0, "", roles: [.guest, .control]) }
    }
}
