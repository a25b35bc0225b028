// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Model
import TestSupport

@testable import PluginHost

/// A plugin directory that a test fills; ids are `test.NAME`.
struct PluginDirectory {
    /// Holds one directory a plugin.
    let root: String

    /// Compiles, links and installs a plugin.
    ///
    /// - Parameters:
    ///   - abi: What the manifest says.
    ///   - change: Last changes to the manifest.
    /// - Returns: The library's path.
    @discardableResult
    func install(
        _ name: String, _ units: [Unit], abi: String = "1.0", provides: [String] = ["trove.datastore/1"],
        change: (inout [String: JSONValue]) -> Void = { _ in }
    ) async throws -> String {
        let library = try prepare(name)
        var objects: [String] = []
        for (index, unit) in units.enumerated() {
            var unit = unit
            unit.macros.append("ID=\"test.\(name)\"")
            objects.append("\(root)/../\(name)-\(index).o")
            try await unit.compile(to: objects[index])
        }
        let linker = Compiler(
            program: units.contains(where: \.isCXX) ? "/usr/bin/g++" : "/usr/bin/gcc",
            arguments: ["-shared", "-Wl,-z,defs,-z,now", "-o", library] + objects + ["-lpthread"])
        try await linker.run()
        try writeManifest(name, abi: abi, provides: provides, change: change)
        return library
    }

    /// Makes the plugin's directory; the path that its library has.
    func prepare(_ name: String) throws -> String {
        let directory = "\(root)/\(name)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        chmod(root, 0o755)
        chmod(directory, 0o755)
        return directory + "/plugin.so"
    }

    /// Writes a manifest for the library that is there.
    func writeManifest(
        _ name: String, abi: String = "1.0", provides: [String] = ["trove.datastore/1"],
        change: (inout [String: JSONValue]) -> Void = { _ in }
    ) throws {
        let library = "\(root)/\(name)/plugin.so"
        chmod(library, 0o644)
        var manifest: [String: JSONValue] = [
            "manifest": 1, "id": .string("test.\(name)"), "version": "1.0.0", "summary": "for tests",
            "library": [
                "file": "plugin.so", "sha256": .string(FileDigest.sha256(path: library) ?? ""), "abi": .string(abi),
                "platform": .string(HostPlatform.name),
            ],
            "roles": ["guest", "control"], "provides": .array(provides.map(JSONValue.string)), "licence": "Apache-2.0",
        ]
        change(&manifest)
        let path = "\(root)/\(name)/plugin.json"
        try JSONValue.object(manifest).text.write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o644)
    }

    func configuration(_ names: [String], role: PluginRole = .guest, probes: Bool = false) -> PluginHostConfiguration {
        var configuration = PluginHostConfiguration(
            directories: [root], enabled: Set(names.map { "test." + $0 }), role: role,
            probeCommand: probes ? [Self.checker, "probe"] : [],
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        configuration.cancellationGrace = .milliseconds(500)
        return configuration
    }

    func load(
        _ names: [String], role: PluginRole = .guest, probes: Bool = false, logger: Logger? = nil
    ) throws -> PluginRegistry {
        var configuration = configuration(names, role: role, probes: probes)
        if let logger { configuration.logger = logger }
        let registry = PluginRegistry(configuration: configuration)
        try registry.load()
        return registry
    }

    static func options(
        _ limit: Duration = .seconds(20), onProgress: (@Sendable (Int, String) -> Void)? = nil
    ) -> CallOptions {
        CallOptions(
            deadline: .after(limit), context: RequestContext(requestID: "req-1"), instanceID: "i-1",
            onProgress: onProgress)
    }

    /// The program that trial loads and runners are.
    static let checker: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("plugin-host-check")
        return FileManager.default.isExecutableFile(atPath: beside.path)
            ? beside.path : Headers.root + "/.build/debug/plugin-host-check"
    }()
}

func withPluginDirectory(_ body: (PluginDirectory) async throws -> Void) async throws {
    try await withTemporaryDirectory { path in
        chmod(path, 0o755)
        try await body(PluginDirectory(root: path + "/plugins"))
    }
}

/// The error of a call that must fail.
func failure(_ body: () async throws(PluginError) -> some Sendable) async -> PluginError? {
    do throws(PluginError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}
