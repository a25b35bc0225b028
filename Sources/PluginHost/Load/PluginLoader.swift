// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Glibc
import Model

/// Takes one candidate from its file to a plugin in use. Blocks.
struct PluginLoader {
    let configuration: PluginHostConfiguration

    /// - Throws: `PluginRefusal`; what was mapped stays mapped and unused.
    func load(_ candidate: PluginCandidate) throws(PluginRefusal) -> LoadedPlugin {
        let manifest = candidate.manifest
        try checkRequirements(candidate)
        try SettingsCheck().run(configuration.settings[manifest.id] ?? .object([:]), candidate)
        let library = try PluginVerifier(trust: configuration.trust).open(candidate)
        do throws(PluginRefusal) {
            try PluginTrial(configuration: configuration).run(library, candidate)
        } catch {
            close(library.file)
            throw error
        }
        let host = HostContext(id: manifest.id, version: manifest.version, configuration: configuration)
        let before = clinux_fault_enter(host.cID)
        defer { _ = clinux_fault_enter(before) }
        let image = try LibraryImage.open(
            library.file, path: candidate.libraryPath, id: manifest.id, faultName: manifest.reference)
        try compare("id", image.id, manifest.id, candidate)
        try compare("version", image.version, manifest.version, candidate)
        let status = image.initialize(host.makeTable())
        guard status == Int32(TROVE_OK) else {
            let text = PluginError.Code(status: status).map { "\($0)" } ?? "unknown status \(status)"
            throw refuse(candidate, .initialization, "init failed: \(text)")
        }
        let tables = try ExtensionTables(image, provides: manifest.provides, path: candidate.libraryPath)
        if let kinds = manifest.backupKinds {
            try compare("backup_kinds", Self.words(tables.backupKinds), Self.words(kinds), candidate)
        }
        let actions = ActionTable(path: candidate.libraryPath, pluginID: manifest.id)
        return LoadedPlugin(
            candidate: candidate, library: library, image: image, tables: tables, host: host,
            routes: try routes(tables, candidate),
            actions: try actions.calls(tables.actions ?? UnsafeBufferPointer(start: nil, count: 0), manifest.actions))
    }

    /// - Throws: `PluginRefusal` for what this host, or the role, does not offer.
    func checkRequirements(_ candidate: PluginCandidate) throws(PluginRefusal) {
        let manifest = candidate.manifest
        guard manifest.library.abiMajor == Int(TROVE_ABI_MAJOR) else {
            throw refuse(
                candidate, .abi,
                "library.abi: is for ABI \(manifest.library.abiMajor).\(manifest.library.abiMinor), this host has "
                    + "\(TROVE_ABI_MAJOR).\(TROVE_ABI_MINOR)")
        }
        guard manifest.library.platform == HostPlatform.name else {
            throw refuse(
                candidate, .requirement,
                "library.platform: is for \(manifest.library.platform), this host is \(HostPlatform.name)")
        }
        if let swift = manifest.swift, swift != HostPlatform.swift {
            throw refuse(
                candidate, .requirement,
                "swift: was built with Swift \(swift), this host with \(HostPlatform.swift); build it again")
        }
        let missing = Set(manifest.requires).subtracting(configuration.role.services)
        guard missing.isEmpty else {
            throw refuse(
                candidate, .requirement,
                "requires: \(missing.sorted().joined(separator: ", ")) is not offered in the role "
                    + configuration.role.rawValue)
        }
    }

    private static func words(_ kinds: Set<BackupKind>) -> String {
        BackupKind.allCases.filter(kinds.contains).map(\.rawValue).joined(separator: ", ")
    }

    func compare(
        _ field: String, _ found: String, _ wanted: String, _ candidate: PluginCandidate
    ) throws(PluginRefusal) {
        guard found != wanted else { return }
        throw refuse(candidate, .mismatch, "\(field): the manifest says '\(wanted)', the library '\(found)'")
    }

    private func routes(_ tables: ExtensionTables, _ candidate: PluginCandidate) throws(PluginRefusal) -> [PluginRoute]
    {
        var routes: [PluginRoute] = []
        var keys: Set<String> = []
        for (index, item) in (tables.routes ?? UnsafeBufferPointer(start: nil, count: 0)).enumerated() {
            guard let method = item.method.map({ String(cString: $0) }),
                let path = item.path.map({ String(cString: $0) }),
                let policy = item.policy.map({ String(cString: $0) })
            else { continue }
            guard RoutePattern.methods.contains(method) else {
                throw refuse(candidate, .table, "route \(index): '\(method)' is not a method")
            }
            let (pattern, problem) = RoutePattern.parse(path, pluginID: candidate.manifest.id)
            guard let pattern else {
                throw refuse(candidate, .table, "route \(index): path '\(path)' \(problem ?? "is wrong")")
            }
            guard candidate.manifest.routeWords[pattern.place].contains(pattern.word) else {
                throw refuse(
                    candidate, .mismatch,
                    "route \(index): the word '\(pattern.word)' is not one of routes.\(pattern.place.rawValue) in the "
                        + "manifest")
            }
            guard !policy.isEmpty else { throw refuse(candidate, .table, "route \(index): has no policy rule") }
            guard keys.insert(pattern.key(method: method)).inserted else {
                throw refuse(candidate, .table, "route \(index): \(method) \(path) is there twice")
            }
            var route = PluginRoute(
                pluginID: candidate.manifest.id, version: candidate.manifest.version, index: index, method: method,
                path: path, policy: policy)
            route.summary = item.summary.map { String(cString: $0) } ?? ""
            route.requestSchema = try schema(item.request_schema, "route \(index): request_schema", candidate)
            route.responseSchema = try schema(item.response_schema, "route \(index): response_schema", candidate)
            routes.append(route)
        }
        return routes
    }

    /// A schema that this host can check, so that what is shown is what is enforced.
    private func schema(
        _ text: UnsafePointer<CChar>?, _ place: String, _ candidate: PluginCandidate
    ) throws(PluginRefusal) -> JSONValue? {
        guard let text else { return nil }
        let value: JSONValue
        do { value = try JSONValue(parsing: String(cString: text)) } catch {
            throw refuse(candidate, .table, "\(place) is not JSON: \(error.message)")
        }
        do { _ = try JSONSchema(value) } catch { throw refuse(candidate, .table, "\(place): \(error.message)") }
        return value
    }

    private func refuse(
        _ candidate: PluginCandidate, _ cause: PluginRefusal.Cause, _ message: String
    ) -> PluginRefusal {
        PluginRefusal(path: candidate.libraryPath, id: candidate.manifest.id, cause: cause, message: message)
    }
}
