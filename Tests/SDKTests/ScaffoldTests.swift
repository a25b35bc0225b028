// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What `trove plugin new` writes builds outside the checkout, with the SDK alone, and passes the conformance check.
@Suite("New plugins", .serialized)
struct ScaffoldTests {
    private static let kinds = ["datastore", "backup", "api-extension"]

    private static func new(_ arguments: [String], in folder: String) async throws -> Program {
        try await Program.run(["trove", "plugin", "new"] + arguments, in: folder, environment: Build.searchPath)
    }

    @Test("build, load and pass the check as written", .timeLimit(.minutes(8)), arguments: ["c", "rust", "swift"])
    func asWritten(_ language: String) async throws {
        let folder = try Build.scratch()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for kind in Self.kinds {
            let name = "new-\(kind)"
            let made = try await Self.new(["--kind", kind, "--language", language, name], in: folder)
            try #require(made.status == 0, "\(made.output)")
            let plugin = "\(folder)/\(name)"
            try Self.checkFiles(plugin)
            // One place of work for the three: the kit in Swift is compiled once.
            try await Program.must(
                ["make", "-C", plugin, "SCRATCH=\(folder)/.work"], environment: Build.searchPath, seconds: 400)
            try await Library(path: "\(plugin)/\(name).so").check()
            let described = try await Program.must([Build.trove, "plugin-probe", "\(plugin)/\(name).so"])
            #expect(described.contains("org.example.\(name)"), "\(described)")
            let check = try await Program.run(
                ["trove", "plugin", "check", "--repeat", "50", name], in: folder, environment: Build.searchPath)
            #expect(check.status == 0, "\(kind) in \(language): \(check.output)")
        }
    }

    /// Nothing is left of the template.
    private static func checkFiles(_ plugin: String) throws {
        let files = FileManager.default.enumerator(atPath: plugin)?.compactMap { $0 as? String } ?? []
        #expect(files.contains("plugin.json") && files.contains("Makefile") && files.contains("README.md"))
        #expect(files.contains(".gitignore"))
        for file in files {
            #expect(!file.contains("__"), "\(file)")
            guard let text = try? String(contentsOfFile: "\(plugin)/\(file)", encoding: .utf8) else { continue }
            #expect(text.firstMatch(of: #/__[A-Z]+__/#) == nil, "\(file)")
        }
    }

    @Test("a package is the same twice, and holds manifest and library")
    func package() async throws {
        let folder = try Build.scratch()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = try await Self.new(
            ["--kind", "backup", "--language", "c", "--id", "com.acme.tar", "pack"], in: folder)
        try #require(made.status == 0, "\(made.output)")
        var digests: Set<String> = []
        for _ in 0..<2 {
            try await Program.must(["make", "package"], in: folder + "/pack", environment: Build.searchPath)
            digests.insert(String(try await Program.must(["sha256sum", folder + "/pack/pack.tar.zst"]).prefix(64)))
        }
        #expect(digests.count == 1)
        let listing = try await Program.must(["tar", "--zstd", "-tf", folder + "/pack/pack.tar.zst"])
        #expect(listing == "plugin.json\npack.so\n")
        let manifest = try String(contentsOfFile: folder + "/pack/plugin.json", encoding: .utf8)
        #expect(manifest.contains("\"com.acme.tar\""))
    }

    @Test(
        "a name that is none is refused with the rule",
        arguments: [
            "", "a", "A", "1a", "a/b", "..", "a--b", "-a", "a-", "a b", "é", "a.b", String(repeating: "a", count: 41),
        ])
    func badName(_ name: String) async throws {
        let folder = try Build.scratch()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = try await Self.new(["--kind", "datastore", "--language", "c", "--", name], in: folder)
        #expect(made.status != 0)
        #expect(made.output.contains("is no name for a plugin"), "\(made.output)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test("a wrong kind, language or id is refused")
    func badOptions() async throws {
        let folder = try Build.scratch()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cases: [([String], String)] = [
            (["--kind", "engine", "--language", "c", "ab"], "'engine'"),
            (["--kind", "backup", "--language", "perl", "ab"], "'perl'"),
            (["--kind", "backup", "--language", "c", "--id", "nodots", "ab"], "is no plugin id"),
            (["--language", "c", "ab"], "--kind"),
        ]
        for (arguments, expected) in cases {
            let made = try await Self.new(arguments, in: folder)
            #expect(made.status != 0 && made.output.contains(expected), "\(arguments): \(made.output)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test("what is there already is never touched")
    func existing() async throws {
        let folder = try Build.scratch()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/mine", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "/nowhere")
        for name in ["mine", "link"] {
            let made = try await Self.new(["--kind", "datastore", "--language", "c", name], in: folder)
            #expect(made.status == 1)
            #expect(made.output.contains("./\(name) exists already"), "\(made.output)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["link", "mine"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/mine").isEmpty)
    }

    @Test("the SDK is found beside the program, and a Makefile without it says how")
    func sdk() async throws {
        let printed = try await Program.must(["trove", "plugin", "sdk"], environment: Build.searchPath)
        #expect(printed == Build.sdk + "\n")
        let folder = try Build.scratch()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try await Self.new(["--kind", "backup", "--language", "c", "lonely"], in: folder)
        let make = try await Program.run(
            ["make"], in: folder + "/lonely", environment: ["PATH": "/usr/bin:/bin", "SDK": ""])
        #expect(make.status != 0 && make.output.contains("no SDK: put trove on PATH"), "\(make.output)")
    }
}
