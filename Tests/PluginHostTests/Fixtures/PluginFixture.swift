// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Model
import TestSupport

@testable import PluginHost

/// A plugin directory that a test fills with plugins of its own.
struct PluginFixture {
    /// Holds one directory a plugin.
    let root: String

    static let guest = ["trove.datastore/1"]
    static let control = ["trove.datastore-policy/1", "trove.api-extension/1"]

    struct BuildError: Error { var message: String }

    /// Compiles and installs a plugin.
    ///
    /// - Parameters:
    ///   - macros: `NAME` or `NAME=value` for the C text.
    ///   - change: Last changes to the manifest.
    @discardableResult
    func install(
        _ name: String, _ source: String, provides: [String], macros: [String] = [], words: [String] = ["users"],
        change: (inout [String: JSONValue]) -> Void = { _ in }
    ) throws -> String {
        let directory = root + "/" + name
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        chmod(root, 0o755)
        chmod(directory, 0o755)
        let text = directory + "/plugin.c"
        try (PluginSource.prelude + source + PluginSource.ending).write(toFile: text, atomically: true, encoding: .utf8)
        let library = directory + "/plugin.so"
        let isNamed = macros.contains { $0.hasPrefix("ID=") }
        try Self.run(
            "/usr/bin/cc",
            ["-shared", "-fPIC", "-D_GNU_SOURCE", "-Wno-unused", "-I", Self.headers, "-o", library, text, "-lpthread"]
                + (macros + (isNamed ? [] : ["ID=\"test.\(name)\""])).map { "-D" + $0 })
        chmod(library, 0o644)
        try writeManifest(name, provides: provides, words: words, change: change)
        return library
    }

    /// Writes a manifest for the library that is there.
    func writeManifest(
        _ name: String, provides: [String], words: [String] = ["users"],
        change: (inout [String: JSONValue]) -> Void = { _ in }
    ) throws {
        let directory = root + "/" + name
        let file = open(directory + "/plugin.so", O_RDONLY)
        defer { close(file) }
        var manifest: [String: JSONValue] = [
            "manifest": 1, "id": .string("test.\(name)"), "version": "1.0.0", "summary": "for tests",
            "library": [
                "file": "plugin.so", "sha256": .string(FileDigest.sha256(file) ?? ""), "abi": "1.0",
                "platform": .string(HostPlatform.name),
            ],
            "roles": ["guest", "control"], "provides": .array(provides.map(JSONValue.string)),
            "requires": ["trove.log/1"], "routes": ["instances": .array(words.map(JSONValue.string))],
            "licence": "Apache-2.0",
        ]
        change(&manifest)
        let path = directory + "/plugin.json"
        try JSONValue.object(manifest).text.write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o644)
    }

    func configuration(
        _ role: PluginRole, enabled: [String], probes: Bool = false, settings: [String: JSONValue] = [:],
        logger: Logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    ) -> PluginHostConfiguration {
        var configuration = PluginHostConfiguration(
            directories: [root], enabled: Set(enabled), role: role, settings: settings,
            probeCommand: probes ? [Self.checker, "probe"] : [], logger: logger)
        configuration.cancellationGrace = .milliseconds(200)
        return configuration
    }

    func load(_ role: PluginRole, enabled: [String], probes: Bool = false) throws -> PluginRegistry {
        let registry = PluginRegistry(configuration: configuration(role, enabled: enabled, probes: probes))
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
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("plugin-host-check").path
    }()

    private static let headers = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources/CTrovePlugin/include").path

    private static func run(_ program: String, _ arguments: [String]) throws {
        var child = ChildProcess(argv: [program] + arguments, deadline: .now + .seconds(60))
        child.environment["TMPDIR"] = "/tmp"
        let ending = try child.run().get()
        guard ending.exitStatus == 0 else {
            throw BuildError(message: String(decoding: ending.stderrTail, as: UTF8.self))
        }
    }
}

func withPlugins<Value>(_ body: (PluginFixture) async throws -> Value) async throws {
    try await withTemporaryDirectory { path in
        chmod(path, 0o755)
        _ = try await body(PluginFixture(root: path + "/plugins"))
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
