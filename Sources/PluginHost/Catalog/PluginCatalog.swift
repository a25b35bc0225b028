// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A plugin that was found and may be loaded.
struct PluginCandidate: Sendable {
    let manifest: PluginManifest
    /// Absolute, without symbolic links.
    let directory: String

    var libraryPath: String { directory + "/" + manifest.library.file }
}

/// What the plugin directories hold.
struct PluginCatalog: Sendable {
    private(set) var candidates: [PluginCandidate] = []
    /// Manifests that cannot be used, and plugins that an earlier directory hides.
    private(set) var refusals: [PluginRefusal] = []

    private static let manifestLimit = 1 << 20

    /// Looks through directories in order; blocks.
    init(directories: [String]) {
        for directory in directories { scan(directory) }
    }

    /// The first plugin that a reference names.
    func find(_ reference: PluginReference) -> PluginCandidate? {
        candidates.first { reference.matches($0.manifest) }
    }

    /// Opens a candidate's library and checks owner, mode and digest again at this moment.
    ///
    /// - Returns: A descriptor; the bytes that were hashed are those it reads.
    static func openLibrary(_ candidate: PluginCandidate) throws(PluginRefusal) -> Int32 {
        let slash = candidate.directory.lastIndex(of: "/") ?? candidate.directory.startIndex
        let root = try SecureFile.openRoot(
            slash == candidate.directory.startIndex ? "/" : String(candidate.directory[..<slash]))
        defer { close(root.directory) }
        let name = String(candidate.directory[candidate.directory.index(after: slash)...])
        let directory = try SecureFile.openDirectory(name, in: root.directory, path: candidate.directory)
        defer { close(directory) }
        let library = candidate.manifest.library
        let file = try SecureFile.openFile(library.file, in: directory, path: candidate.libraryPath)
        guard let digest = FileDigest.sha256(file), digest == library.sha256 else {
            close(file)
            throw PluginRefusal(
                path: candidate.libraryPath, id: candidate.manifest.id, cause: .hash,
                message: "SHA-256 is not the one of library.sha256 in the manifest"
            )
        }
        return file
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

    private mutating func examine(_ name: String, root: Int32, path: String) throws(PluginRefusal) {
        var info = stat()
        guard fstatat(root, name, &info, AT_SYMLINK_NOFOLLOW) == 0, info.st_mode & S_IFMT != S_IFREG else { return }
        guard faccessat(root, name + "/plugin.json", F_OK, AT_EACCESS) == 0 else { return }
        let directory = try SecureFile.openDirectory(name, in: root, path: path)
        defer { close(directory) }
        let file = try SecureFile.openFile("plugin.json", in: directory, path: path + "/plugin.json")
        defer { close(file) }
        guard let bytes = SecureFile.contents(file, limit: Self.manifestLimit) else {
            throw PluginRefusal(
                path: path + "/plugin.json", cause: .manifest, message: "cannot be read, or is larger than 1 MiB")
        }
        let manifest = try ManifestReader(path: path + "/plugin.json").read(bytes)
        if let first = candidates.first(where: {
            $0.manifest.id == manifest.id && $0.manifest.version == manifest.version
        }) {
            throw PluginRefusal(
                path: path, id: manifest.id, cause: .shadowed,
                message: "version \(manifest.version) of '\(manifest.id)' is taken from \(first.directory)")
        }
        candidates.append(PluginCandidate(manifest: manifest, directory: path))
    }

    /// Entries in ascending order, without hidden ones.
    private static func names(_ directory: Int32, path: String) throws(PluginRefusal) -> [String] {
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
