// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import PluginHost

/// A plugin's directory as it is on disk: manifest, library, digest. Runs none of its code.
struct PluginFiles: Sendable {
    /// Absolute, without symbolic links.
    let directory: String
    let manifest: JSONValue
    let libraryPath: String
    let sha256: String
    let library: [UInt8]

    var id: String { manifest["id"]?.stringValue ?? "" }
    var version: String { manifest["version"]?.stringValue ?? "" }

    /// Reads the files and judges them.
    ///
    /// - Throws: `ConformanceError` when there is no plugin to check: no directory, no manifest, no library.
    static func read(
        _ path: String, schemas: SchemaSet, _ ledger: inout CheckLedger
    ) throws(ConformanceError) -> PluginFiles {
        guard let resolved = realpath(path, nil) else {
            throw ConformanceError("\(path): \(String(cString: strerror(errno))); give a directory with plugin.json")
        }
        let directory = String(cString: resolved)
        free(resolved)
        let manifestPath = directory + "/plugin.json"
        guard let text = FileTree.read(manifestPath, limit: 1 << 20) else {
            throw ConformanceError(
                "\(manifestPath) cannot be read; a plugin is a directory with plugin.json and a library")
        }
        let manifest: JSONValue
        do { manifest = try JSONValue(parsing: text) } catch {
            ledger.add("manifest.schema", .failed, "plugin.json is not JSON: \(error).")
            throw ConformanceError("\(manifestPath) is not JSON: \(error)")
        }
        var problems = schemas.problems(manifest, "plugin")
        do { _ = try ConformanceSupport.manifest(text, path: manifestPath) } catch { problems.append(error.message) }
        judge(&ledger, "manifest.schema", problems.first.map { "plugin.json: \($0)." })
        guard let file = manifest["library"]?["file"]?.stringValue, !file.isEmpty, !file.contains("/") else {
            throw ConformanceError("\(manifestPath): library.file must name a file beside the manifest")
        }
        let libraryPath = directory + "/" + file
        guard let library = FileTree.read(libraryPath, limit: 1 << 30) else {
            throw ConformanceError("\(libraryPath) cannot be read; library.file of plugin.json names it")
        }
        let files = PluginFiles(
            directory: directory, manifest: manifest, libraryPath: libraryPath, sha256: FileTree.sha256(library),
            library: library)
        files.judgeModes(&ledger)
        files.judgeLibrary(&ledger)
        return files
    }

    private static func judge(_ ledger: inout CheckLedger, _ name: String, _ problem: String?) {
        if let problem { ledger.add(name, .failed, problem) } else { ledger.add(name, .passed) }
    }

    private func judgeModes(_ ledger: inout CheckLedger) {
        var problem: String?
        for path in [directory, directory + "/plugin.json", libraryPath] {
            var info = stat()
            guard lstat(path, &info) == 0 else { continue }
            let isDirectory = path == directory
            if info.st_mode & S_IFMT != (isDirectory ? S_IFDIR : S_IFREG) {
                problem = "\(path) is no \(isDirectory ? "directory" : "regular file"); links are not followed."
            } else if info.st_mode & (S_IWGRP | S_IWOTH) != 0 {
                problem = "\(path) can be written by group or others; chmod go-w."
            } else if !isDirectory, info.st_mode & (S_ISUID | S_ISGID) != 0 {
                problem = "\(path) is setuid or setgid; chmod ug-s."
            } else if info.st_uid != 0, info.st_uid != geteuid() {
                problem = "\(path) belongs to uid \(info.st_uid), neither root nor you."
            }
            if problem != nil { break }
        }
        Self.judge(&ledger, "files.modes", problem)
    }

    private func judgeLibrary(_ ledger: inout CheckLedger) {
        let named = manifest["library"]?["sha256"]?.stringValue ?? ""
        Self.judge(
            &ledger, "manifest.digest",
            named == sha256
                ? nil : "library.sha256 is not the library's digest, which is \(sha256); write it into plugin.json.")
        let platform = manifest["library"]?["platform"]?.stringValue ?? ""
        Self.judge(
            &ledger, "manifest.platform",
            platform == ConformanceSupport.platform
                ? nil : "library.platform is \(platform), this host is \(ConformanceSupport.platform).")
        let abi = manifest["library"]?["abi"]?.stringValue ?? ""
        Self.judge(
            &ledger, "manifest.abi", abi.hasPrefix("1.") ? nil : "library.abi is \(abi), this host has ABI 1.0.")
        if let swift = manifest["swift"]?.stringValue {
            Self.judge(
                &ledger, "manifest.swift",
                swift == ConformanceSupport.swift
                    ? nil
                    : "swift is \(swift), this host has Swift \(ConformanceSupport.swift); build the plugin with it.")
        } else {
            let links = ElfFile(library).needed.contains { $0.hasPrefix("libswiftCore") }
            Self.judge(
                &ledger, "manifest.swift",
                links
                    ? "The library needs the Swift runtime; add \"swift\": \"\(ConformanceSupport.swift)\" to plugin.json."
                    : nil)
        }
        Self.judge(&ledger, "manifest.roles", roles)
    }

    /// Extensions that are looked for in one role only.
    private static let homes = [
        "trove.datastore/1": "guest", "trove.backup/1": "guest", "trove.module-driver/1": "guest",
        "trove.tls/1": "guest",
        "trove.datastore-policy/1": "control", "trove.api-extension/1": "control",
    ]

    private var roles: String? {
        let roles = (manifest["roles"]?.arrayValue ?? []).compactMap(\.stringValue)
        for id in provides {
            guard let home = Self.homes[id], !roles.contains(home) else { continue }
            return "\(id) is used in the role \(home), which roles does not name; add it."
        }
        if provides.contains("trove.tls/1"), !provides.contains("trove.datastore/1") {
            return "trove.tls/1 works on what trove.datastore/1 has opened; provide that too."
        }
        let services = Set(["trove.process/1", "trove.report/1"].filter(requires.contains))
        if !services.isEmpty, !roles.contains("guest") {
            return
                "\(services.sorted().joined(separator: ", ")) is offered in the role guest, which roles does not name."
        }
        if requires.contains("trove.control/1"), !roles.contains("control") {
            return "trove.control/1 is offered in the role control, which roles does not name."
        }
        return nil
    }

    var provides: [String] { (manifest["provides"]?.arrayValue ?? []).compactMap(\.stringValue) }
    var requires: [String] { (manifest["requires"]?.arrayValue ?? []).compactMap(\.stringValue) }
}
