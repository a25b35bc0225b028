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
        let file = try PluginCatalog.openLibrary(candidate)
        do throws(PluginRefusal) {
            try PluginTrial(configuration: configuration).run(file, candidate)
        } catch {
            close(file)
            throw error
        }
        let host = HostContext(id: manifest.id, configuration: configuration)
        let before = clinux_fault_enter(host.cID)
        defer { _ = clinux_fault_enter(before) }
        let image = try LibraryImage.open(file, path: candidate.libraryPath, id: manifest.id)
        try compare("id", image.id, manifest.id, candidate)
        try compare("version", image.version, manifest.version, candidate)
        let status = image.initialize(host.makeTable())
        guard status == Int32(TROVE_OK) else {
            let text = PluginError.Code(status: status).map { "\($0)" } ?? "unknown status \(status)"
            throw refuse(candidate, .initialization, "init failed: \(text)")
        }
        let tables = try ExtensionTables(image, provides: manifest.provides, path: candidate.libraryPath)
        return LoadedPlugin(
            candidate: candidate, image: image, tables: tables, host: host, routes: try routes(tables, candidate))
    }

    private func checkRequirements(_ candidate: PluginCandidate) throws(PluginRefusal) {
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

    private func compare(
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
            routes.append(
                PluginRoute(pluginID: candidate.manifest.id, index: index, method: method, path: path, policy: policy))
        }
        return routes
    }

    private func refuse(
        _ candidate: PluginCandidate, _ cause: PluginRefusal.Cause, _ message: String
    ) -> PluginRefusal {
        PluginRefusal(path: candidate.libraryPath, id: candidate.manifest.id, cause: cause, message: message)
    }
}
