// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A plugin that was found and may be loaded.
package struct PluginCandidate: Sendable {
    package let manifest: PluginManifest
    /// What was read from `plugin.json`.
    let manifestBytes: [UInt8]
    /// Absolute, without symbolic links.
    package let directory: String

    package var libraryPath: String { directory + "/" + manifest.library.file }
}

/// What the plugin directories hold.
package struct PluginCatalog: Sendable {
    /// In the order of the directories, then of their names.
    package private(set) var candidates: [PluginCandidate] = []
    /// Manifests that cannot be used, and plugins that an earlier directory hides.
    package private(set) var refusals: [PluginRefusal] = []

    private static let manifestLimit = 1 << 20

    /// Looks through directories in order; blocks.
    package init(directories: [String]) {
        for directory in directories { scan(directory) }
    }

    /// The plugin that a reference names; without a version in it, the active one, else the first.
    ///
    /// - Parameter active: Versions by id.
    package func find(_ reference: PluginReference, active: [String: String] = [:]) -> PluginCandidate? {
        let version = reference.version ?? active[reference.id]
        return candidates.first {
            $0.manifest.id == reference.id && (version ?? $0.manifest.version) == $0.manifest.version
        }
    }

    private mutating func scan(_ path: String) {
        do throws(PluginRefusal) {
            let root = try SecureFile.openRoot(path)
            defer { close(root.directory) }
            for name in try Self.names(root.directory, path: root.path) {
                do throws(PluginRefusal) {
                    try examine(name, root: root.directory, path: root.path + (root.path == "/" ? "" : "/") + name)
                } catch {
                    refusals.append(error)
                }
            }
        } catch {
            refusals.append(error)
        }
    }

    /// Reads the manifest of one plugin directory, wherever it is; blocks.
    package static func candidate(at path: String) throws(PluginRefusal) -> PluginCandidate {
        let root = try SecureFile.openRoot(path)
        defer { close(root.directory) }
        return try read(root.directory, path: root.path)
    }

    private mutating func examine(_ name: String, root: Int32, path: String) throws(PluginRefusal) {
        var info = stat()
        guard fstatat(root, name, &info, AT_SYMLINK_NOFOLLOW) == 0, info.st_mode & S_IFMT != S_IFREG else { return }
        guard faccessat(root, name + "/plugin.json", F_OK, AT_EACCESS) == 0 else { return }
        let directory = try SecureFile.openDirectory(name, in: root, path: path)
        defer { close(directory) }
        let candidate = try Self.read(directory, path: path)
        let manifest = candidate.manifest
        if let first = candidates.first(where: {
            $0.manifest.id == manifest.id && $0.manifest.version == manifest.version
        }) {
            throw PluginRefusal(
                path: path, id: manifest.id, cause: .shadowed,
                message: "version \(manifest.version) of '\(manifest.id)' is taken from \(first.directory)")
        }
        candidates.append(candidate)
    }

    private static func read(_ directory: Int32, path: String) throws(PluginRefusal) -> PluginCandidate {
        let file = try SecureFile.openFile("plugin.json", in: directory, path: path + "/plugin.json")
        defer { close(file) }
        guard let bytes = SecureFile.contents(file, limit: manifestLimit) else {
            throw PluginRefusal(
                path: path + "/plugin.json", cause: .manifest, message: "cannot be read, or is larger than 1 MiB")
        }
        let manifest = try ManifestReader(path: path + "/plugin.json").read(bytes)
        return PluginCandidate(manifest: manifest, manifestBytes: bytes, directory: path)
    }

    /// Entries in ascending order, without hidden ones.
    static func names(_ directory: Int32, path: String) throws(PluginRefusal) -> [String] {
        let copy = fcntl(directory, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0, let stream = fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            throw PluginRefusal(path: path, cause: .permission, message: SecureFile.reason("cannot be listed"))
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
