// SPDX-License-Identifier: Apache-2.0

import Conformance
import Foundation

/// The example plugin, built from its one source with one fault or none.
struct ExamplePlugin {
    /// The plugin's directory.
    let directory: URL
    var library: URL { directory.appendingPathComponent("example.so") }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Example")
    static let root = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let linking = ["-Wl,-z,defs", "-Wl,-z,now", "-Wl,-z,relro"]

    /// Compiles the source and writes the manifest.
    init(
        in parent: URL, name: String, flags: [String] = [], linking: [String] = Self.linking,
        manifest change: (inout [String: Any]) -> Void = { _ in }
    ) throws {
        directory = parent.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let output = directory.appendingPathComponent("example.so").path
        try Self.compile(
            [
                "-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-w", "-I",
                Self.root.path + "/Sources/CTrovePlugin/include",
            ]
                + flags + [Self.folder.path + "/example.c", "-o", output] + linking)
        try writeManifest(change)
    }

    static func compile(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/gcc")
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ConformanceError("gcc failed: \(arguments.joined(separator: " "))")
        }
    }

    func writeManifest(_ change: (inout [String: Any]) -> Void = { _ in }) throws {
        let sample = try Data(contentsOf: Self.folder.appendingPathComponent("plugin.json"))
        guard var manifest = try JSONSerialization.jsonObject(with: sample) as? [String: Any],
            var own = manifest["library"] as? [String: Any]
        else { throw ConformanceError("the example's plugin.json is no manifest") }
        own["sha256"] = try Self.digest(library)
        manifest["library"] = own
        change(&manifest)
        try JSONSerialization.data(withJSONObject: manifest).write(to: directory.appendingPathComponent("plugin.json"))
        for file in ["plugin.json", "example.so"] {
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: directory.appendingPathComponent(file).path)
        }
    }

    private static func digest(_ file: URL) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
        process.arguments = [file.path]
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output.prefix(64), as: UTF8.self)
    }

    /// What the kit says about a plugin.
    static func check(_ directory: URL, repeats: Int = 60) throws -> ConformanceReport {
        var options = ConformanceOptions(
            plugin: directory.path, childCommand: [beside("conformance-check")],
            schemas: root.path + "/Sources/CTrovePlugin/schemas", host: "test")
        options.repeats = repeats
        options.width = 1
        return try ConformanceRun(options).run()
    }

    /// A program of the same build as this test.
    static func beside(_ name: String) -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? own
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// Builds a plugin, changes its files and checks it, on a thread of its own; a few at a time, since most of a check is
    /// waiting.
    static func report(
        repeats: Int = 60, flags: [String] = [], linking: [String] = Self.linking,
        manifest: @escaping @Sendable (inout [String: Any]) -> Void = { _ in },
        change: @escaping @Sendable (ExamplePlugin) throws -> Void = { _ in }
    ) async throws -> ConformanceReport {
        try await onThread {
            let parent = FileManager.default.temporaryDirectory.appendingPathComponent(
                "conformance-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: parent) }
            let plugin = try ExamplePlugin(
                in: parent, name: "example", flags: flags, linking: linking, manifest: manifest)
            try change(plugin)
            return try check(plugin.directory, repeats: repeats)
        }
    }

    private static let slots = DispatchSemaphore(value: 5)

    static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                slots.wait()
                defer { slots.signal() }
                continuation.resume(with: Result { try body() })
            }
        }
    }
}
