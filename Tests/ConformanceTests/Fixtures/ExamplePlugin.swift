// SPDX-License-Identifier: Apache-2.0

import Conformance
import Foundation
import Testing

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
        try #require(process.terminationStatus == 0, "gcc \(arguments.joined(separator: " "))")
    }

    func writeManifest(_ change: (inout [String: Any]) -> Void = { _ in }) throws {
        var manifest = try #require(
            try JSONSerialization.jsonObject(
                with: Data(contentsOf: Self.folder.appendingPathComponent("plugin.json"))) as? [String: Any])
        var own = try #require(manifest["library"] as? [String: Any])
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
}
