// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@Suite("Frozen headers")
struct FrozenHeaderTests {
    /// Folders below `Frozen`, `MAJOR.MINOR`, each with the headers as they were released.
    private static func releases() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Headers.frozen).sorted()
    }

    private static func text(_ path: String) throws -> HeaderText {
        HeaderText(try String(contentsOfFile: path, encoding: .utf8))
    }

    @Test("the headers keep every release of their major version, and are the released ones of their own version")
    func frozen() throws {
        let current = try Headers.version(of: Headers.current)
        let releases = try Self.releases().filter { $0.hasPrefix("\(current.major).") }
        #expect(!releases.isEmpty, "no release of ABI \(current.major) is kept in \(Headers.frozen)")
        for release in releases {
            for file in try Headers.names(Headers.released(release)) {
                guard FileManager.default.fileExists(atPath: Headers.current + "/" + file) else {
                    Issue.record("\(file) of ABI \(release) is gone: a released header stays")
                    continue
                }
                let (old, new) = (
                    try Self.text(Headers.released(release) + "/" + file), try Self.text(Headers.current + "/" + file)
                )
                let problem =
                    release == "\(current.major).\(current.minor)"
                    ? HeaderChange.difference(released: old, current: new, file: file, version: release)
                    : HeaderChange.loss(released: old, current: new, file: file, version: release)
                if let problem { Issue.record(Comment(rawValue: problem)) }
            }
        }
    }

    @Test("the headers of 1.0 are whole: none but drafts is left out while the version is 1.0")
    func complete() throws {
        let version = try Headers.version(of: Headers.current)
        guard try Self.releases().contains("\(version.major).\(version.minor)") else { return }
        let released = try Headers.names(Headers.released("\(version.major).\(version.minor)"))
        let added = try Headers.names(Headers.current).filter { !released.contains($0) }
        #expect(
            added.isEmpty,
            "\(added) are new: raise TROVE_ABI_MINOR, and keep a copy of the release in \(Headers.frozen)")
    }

    @Test("the layouts that layout.c asserts are those of the released headers, and none is left out")
    func layouts() async throws {
        let source = Headers.root + "/Sources/CTrovePlugin/layout.c"
        for release in try Self.releases() {
            let compiler = Compiler(arguments: [
                "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", Headers.released(release), "-I",
                Headers.current, source,
            ])
            try await compiler.run()
        }
        let asserts = try String(contentsOfFile: source, encoding: .utf8)
        for file in try Headers.names(Headers.current) {
            let text = try Self.text(Headers.current + "/" + file)
            for declaration in text.declarations where declaration.hasPrefix("typedef struct ") {
                let tag = declaration.split(separator: " ")[2]
                guard declaration.contains("{") else { continue }
                #expect(asserts.contains("LAYOUT(\(tag), "), "layout.c has no size for \(tag) of \(file)")
            }
        }
    }

    struct Edit: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var file = "trove_backup.h"
        var from: String
        var to: String
        /// Whether the same version may have it; whether a later minor version may.
        var isEqual = false
        var isGrowth = false
    }

    @Test(
        "what a change of a released header is taken for",
        arguments: [
            Edit(
                testDescription: "a comment", from: "/* A backup strategy: yields",
                to: "// More.\n/* A strategy: yields",
                isEqual: true, isGrowth: true),
            Edit(
                testDescription: "layout", from: "  uint32_t size;\n  uint32_t flags;",
                to: "  uint32_t\n size; uint32_t flags; /* x */", isEqual: true, isGrowth: true),
            Edit(testDescription: "another type", from: "uint32_t flags;", to: "int32_t flags;"),
            Edit(testDescription: "another name", from: "void (*close)(void *self)", to: "void (*shut)(void *self)"),
            Edit(
                testDescription: "a member more", from: "} trove_backup_1;", to: "  void *more;\n} trove_backup_1;"),
            Edit(
                testDescription: "members in another order", from: "uint32_t size;\n  uint32_t flags;",
                to: "uint32_t flags;\n  uint32_t size;"),
            Edit(testDescription: "another number", from: "TROVE_BACKUP_FULL = 1u", to: "TROVE_BACKUP_FULL = 4u"),
            Edit(testDescription: "another id", from: "\"trove.backup/1\"", to: "\"trove.backup/2\""),
            Edit(testDescription: "a declaration less", from: "#define TROVE_EXT_BACKUP \"trove.backup/1\"\n", to: ""),
            Edit(
                testDescription: "a new tag beside the old one", from: "} trove_backup_1;",
                to: "} trove_backup_1;\ntypedef struct trove_backup_2 { uint32_t size; } trove_backup_2;",
                isGrowth: true),
            Edit(
                testDescription: "a new status", file: "trove_plugin.h", from: "TROVE_PENDING = 13 ",
                to: "TROVE_PENDING = 13, TROVE_LATE = 14 ", isGrowth: true),
            Edit(
                testDescription: "a new type of arguments", file: "trove_actions.h", from: "TROVE_T_JSON = 8 ",
                to: "TROVE_T_JSON = 8, TROVE_T_DATE = 9 "),
            Edit(
                testDescription: "the next minor version", file: "trove_plugin.h", from: "TROVE_ABI_MINOR 0u",
                to: "TROVE_ABI_MINOR 1u", isGrowth: true),
            Edit(
                testDescription: "another major version", file: "trove_plugin.h", from: "TROVE_ABI_MAJOR 1u",
                to: "TROVE_ABI_MAJOR 2u"),
        ])
    func edits(_ edit: Edit) throws {
        let text = try String(contentsOfFile: Headers.released("1.0") + "/" + edit.file, encoding: .utf8)
        try #require(text.contains(edit.from))
        let released = HeaderText(text)
        let changed = HeaderText(text.replacingOccurrences(of: edit.from, with: edit.to))
        let difference = HeaderChange.difference(released: released, current: changed, file: edit.file, version: "1.0")
        #expect((difference == nil) == edit.isEqual, "\(difference ?? "")")
        let loss = HeaderChange.loss(released: released, current: changed, file: edit.file, version: "1.0")
        #expect((loss == nil) == edit.isGrowth, "\(loss ?? "")")
        for problem in [difference, loss].compactMap({ $0 }) {
            #expect(problem.hasPrefix(edit.file) && problem.contains("a new tag (trove_x_2) under a new id"))
        }
    }

    @Test("the synthetic 1.1 of these tests grows as the rules say, and 2.0 does not keep 1.0")
    func overlays() async throws {
        try await withTemporaryDirectory { path in
            for (folder, keeps) in [(try Headers.minor(in: path), true), (try Headers.major(in: path), false)] {
                let losses = try Headers.names(Headers.released("1.0")).compactMap { file in
                    HeaderChange.loss(
                        released: try Self.text(Headers.released("1.0") + "/" + file),
                        current: try Self.text(folder + "/" + file), file: file, version: "1.0")
                }
                #expect(losses.isEmpty == keeps, "\(losses)")
            }
        }
    }
}
