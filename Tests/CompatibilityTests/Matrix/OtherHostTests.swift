// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

// Plugins that were compiled against the released headers of 1.0, in hosts that do not exist yet: programs in C that
// negotiate as docs/compatibility.md says, compiled against a synthetic 1.1 and a synthetic 2.0. They show what plugins
// answer to later hosts. What later hosts make of broken tables is theirs to test.
@Suite("Plugins in hosts of other versions")
struct OtherHostTests {
    @Test("negotiation, plugin by plugin", arguments: ["1.0", "1.1", "2.0"])
    func negotiation(_ version: String) async throws {
        let expected: [String: [String: String]] = [
            "1.0": [
                "one": #"{"through":1,"host":"1.0"}"#, "later": #"{"through":1,"host":"1.0"}"#,
                "second": "no datastore for this host", "next": "nothing for 1.0", "stubborn": "plugin 2.0, host 1.0",
                "stays": #"{"through":1,"host":"1.0"}"#, "both": #"{"through":1,"host":"1.0"}"#,
            ],
            "1.1": [
                "one": #"{"through":1,"host":"1.1"}"#, "later": #"{"through":2,"host":"1.1"}"#,
                "second": #"{"through":2,"host":"1.1"}"#, "next": "nothing for 1.1", "stubborn": "plugin 2.0, host 1.1",
                "stays": #"{"through":1,"host":"1.1"}"#, "both": #"{"through":1,"host":"1.1"}"#,
            ],
            "2.0": [
                "one": "nothing for 2.0", "later": "nothing for 2.0", "second": "nothing for 2.0",
                "next": #"{"through":1,"host":"2.0"}"#, "stubborn": #"{"through":1,"host":"2.0"}"#,
                "stays": "plugin 1.0, host 2.0", "both": #"{"through":1,"host":"2.0"}"#,
            ],
        ]
        try await withPluginDirectory { (directory) async throws in
            let folder = directory.root + "/.."
            try FileManager.default.createDirectory(atPath: directory.root, withIntermediateDirectories: true)
            let (minor, major) = (try Headers.minor(in: folder), try Headers.major(in: folder))
            let headers = ["1.0": Headers.released("1.0"), "1.1": minor, "2.0": major][version] ?? ""
            let host = try await SyntheticHost(
                at: folder + "/host", headers: headers, macros: version == "1.1" ? ["SECOND"] : [])
            for plugin in VersionSource.plugins(minor: minor, major: major) {
                let library = try await directory.install(plugin.name, plugin.units, abi: plugin.abi)
                #expect(try await host.meet(library) == expected[version]?[plugin.name], "\(plugin.name) in \(version)")
            }
        }
    }

    /// The plugins of this build, by folder: in Swift, and where the examples are built, in C and Rust.
    private static let built: [String] = {
        let folder = URL(fileURLWithPath: PluginDirectory.checker).deletingLastPathComponent().path
        return ["plugins", "examples"].flatMap { kind in
            ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(kind)")) ?? [])
                .map { "\(folder)/\(kind)/\($0)/\($0).so" }
        }.filter { FileManager.default.fileExists(atPath: $0) }.sorted()
    }()

    @Test("every plugin of this build has its table for each 1.x, and none for another major version")
    func builtPlugins() async throws {
        #expect(Self.built.count >= 7)
        try await withTemporaryDirectory { path in
            let host = try await SyntheticHost(at: path + "/host", headers: Headers.released("1.0"))
            let runtime = ["LD_LIBRARY_PATH": Self.swiftRuntime]
            for library in Self.built {
                let answer = try await host.meet(library, ["entries"], environment: runtime)
                #expect(answer == "1.0 1.0 1.0 none none none ", "\(library)")
            }
        }
    }

    /// The folder of the Swift libraries that this process has mapped.
    private static let swiftRuntime: String = {
        let path = ProcessFile.lines("maps").first { $0.hasSuffix("/libswiftCore.so") }?.split(separator: " ").last
        return path.map { URL(fileURLWithPath: String($0)).deletingLastPathComponent().path } ?? ""
    }()
}
