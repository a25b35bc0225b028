// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("The headers that vendors include")
struct HeaderTests {
    struct Dialect: Sendable, CustomTestStringConvertible {
        var compiler: String
        var language: String
        var standard: String
        var testDescription: String { "\(compiler) \(standard)" }

        static let all =
            ["gcc", "clang"].flatMap { compiler in
                [("c", "c99"), ("c", "c11"), ("c++", "c++17")].map {
                    Dialect(compiler: compiler, language: $0.0, standard: $0.1)
                }
            }
    }

    private static let include = Build.root + "/Sources/CTrovePlugin/include"

    /// Paths below the include directory, with those of `draft/`.
    private static var headers: [String] {
        (FileManager.default.enumerator(atPath: include)?.compactMap { $0 as? String } ?? [])
            .filter { $0.hasSuffix(".h") }.sorted()
    }

    private static func compile(_ text: String, _ dialect: Dialect, _ flags: [String] = []) async throws -> Program {
        let file = NSTemporaryDirectory() + "trove-header-\(UUID().uuidString)"
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        return try await Program.run(
            [
                dialect.compiler, "-x", dialect.language, "-std=\(dialect.standard)", "-Wall", "-Wextra", "-pedantic",
                "-Werror", "-fsyntax-only", "-I", include, "-I", Build.root + "/Plugins/SDK/c",
            ] + flags + [file])
    }

    @Test("each alone, and all together in both orders", arguments: Dialect.all)
    func clean(_ dialect: Dialect) async throws {
        #expect(Self.headers.count >= 12)
        let lines = Self.headers.map { "#include \"\($0)\"\n" }
        for text in lines + [lines.joined(), lines.reversed().joined(), lines.joined() + lines.joined()] {
            let result = try await Self.compile(text + "int trove_header_test;\n", dialect)
            #expect(result.status == 0, "\(text): \(result.output)")
        }
    }

    @Test("the helpers in C compile the same way", arguments: Dialect.all)
    func kit(_ dialect: Dialect) async throws {
        let result = try await Self.compile("#include \"trove_plugin_kit.h\"\nint trove_header_test;\n", dialect)
        #expect(result.status == 0, "\(result.output)")
    }

    @Test("a typed action whose function has another type does not compile")
    func typedAction() async throws {
        let text = """
            #include "trove_actions.h"
            static trove_status greet(trove_call *call, const trove_str *who, TYPE times) {
              (void)call; (void)who; (void)times;
              return TROVE_OK;
            }
            trove_fn test(void);
            trove_fn test(void) {
              return TROVE_TYPED_FN(greet, trove_status (*)(trove_call *, const trove_str *, int64_t));
            }

            """
        for (type, compiles) in [("int64_t", true), ("int32_t", false), ("trove_str", false)] {
            for compiler in ["gcc", "clang"] {
                let dialect = Dialect(compiler: compiler, language: "c", standard: "c11")
                let result = try await Self.compile(text, dialect, ["-DTYPE=\(type)"])
                #expect((result.status == 0) == compiles, "\(compiler) \(type): \(result.output)")
            }
        }
    }

    @Test("what the page for vendors shows in C compiles")
    func snippets() async throws {
        let page = try String(contentsOfFile: Build.root + "/docs/write-a-plugin.md", encoding: .utf8)
        let blocks = page.components(separatedBy: "```c\n").dropFirst()
            .compactMap { $0.components(separatedBy: "```").first }
        #expect(!blocks.isEmpty)
        for block in blocks {
            let result = try await Self.compile(
                "#include \"trove_actions.h\"\n" + block, Dialect(compiler: "gcc", language: "c", standard: "c11"),
                ["-Wno-unused", "-Wno-error"])
            #expect(result.status == 0, "\(result.output)")
        }
    }

    @Test("the module map names every header")
    func moduleMap() throws {
        let map = try String(contentsOfFile: Self.include + "/module.modulemap", encoding: .utf8)
        for header in Self.headers { #expect(map.contains("header \"\(header)\""), "\(header)") }
    }
}
