// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import PluginHost

/// Puts a plugin package into a home: unpack beside the others, check, try, rename.
struct PluginInstaller {
    enum Outcome { case installed, present }

    let operation: PluginOperator

    /// - Parameter source: A plugin's directory, or a tar archive of one in zstd.
    /// - Returns: What was there or is now; it is not active yet.
    /// - Throws: `StartError` or `PluginRefusal`; nothing is left then.
    func install(_ source: String) throws -> (PluginCandidate, PluginInspection, Outcome) {
        let staging = operation.home.installedPlugins + "/.staging-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        guard mkdir(staging, 0o755) == 0, chmod(staging, 0o755) == 0 else {
            throw StartError("cannot make \(staging): \(String(cString: strerror(errno)))")
        }
        defer { try? Files.removeTree(staging) }
        let candidate = try PluginCatalog.candidate(at: try unpack(source, into: staging))
        let manifest = candidate.manifest
        let inspection = try PluginInspection.probe(candidate, configuration: operation.trialConfiguration)
        if let known = operation.scan().find(PluginReference(manifest.reference)) {
            guard Self.content(known.directory) == Self.content(candidate.directory) else {
                throw StartError(
                    "\(manifest.reference) is at \(known.directory) already, with other files; a changed plugin needs a "
                        + "new version")
            }
            return (known, inspection, .present)
        }
        let target = operation.home.installedPlugins + "/" + manifest.reference
        guard rename(candidate.directory, target) == 0 else {
            throw StartError("cannot move the plugin to \(target): \(String(cString: strerror(errno)))")
        }
        Self.sync(operation.home.installedPlugins)
        return (try PluginCatalog.candidate(at: target), inspection, .installed)
    }

    /// - Returns: The directory that has the manifest: the package's root, or the one directory in it.
    private func unpack(_ source: String, into staging: String) throws -> String {
        var info = stat()
        guard stat(source, &info) == 0 else {
            throw StartError("\(source): \(String(cString: strerror(errno)))")
        }
        var files = PackageFiles(root: staging, source: source)
        if info.st_mode & S_IFMT == S_IFDIR {
            try files.copy(directory: source)
        } else {
            try files.unpack(archive: source)
        }
        if Files.exists(staging + "/plugin.json") { return staging }
        let names = Files.names(in: staging) ?? []
        if names.count == 1, Files.exists("\(staging)/\(names[0])/plugin.json") { return "\(staging)/\(names[0])" }
        throw StartError("\(source): has no plugin.json; a package is a plugin's directory, or a tar of one in zstd")
    }

    /// Names and bytes of everything in a directory, as a list that can be compared.
    private static func content(_ directory: String) -> [String] {
        (Files.names(in: directory) ?? []).flatMap { name -> [String] in
            let path = directory + "/" + name
            var info = stat()
            guard lstat(path, &info) == 0 else { return [name] }
            if info.st_mode & S_IFMT == S_IFDIR { return [name + "/"] + content(path).map { name + "/" + $0 } }
            return [name + " " + (FileDigest.sha256(path: path) ?? "unreadable")]
        }
    }

    private static func sync(_ directory: String) {
        let file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = fsync(file)
        close(file)
    }
}
