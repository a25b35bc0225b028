// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Rust is needed: without `rustc` these fail, they do not skip.
@Suite("The binding for Rust")
struct RustBindingTests {
    private static let script = Build.root + "/scripts/rust_binding.py"

    @Test("is what the headers give")
    func upToDate() async throws {
        let check = try await Program.run(["python3", "-B", Self.script, "check"])
        #expect(check.status == 0, "\(check.output)")
    }

    @Test("has the sizes, alignments, offsets and constants that the C compiler sees")
    func layouts() async throws {
        let folder = try Build.scratch()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await Program.must(["python3", "-B", Self.script, "layouts", folder])
        try await Program.must([
            "gcc", "-std=c11", "-I", Build.root + "/Sources/CTrovePlugin/include", "-o", folder + "/c",
            folder + "/layouts.c",
        ])
        try await Program.must([
            "rustc", "--edition", "2021", "-D", "warnings", "-o", folder + "/rust", folder + "/layouts.rs",
        ])
        let (c, rust) = (try await Program.must([folder + "/c"]), try await Program.must([folder + "/rust"]))
        #expect(c == rust)
        #expect(c.split(separator: "\n").count > 250)
        #expect(c.contains("trove_datastore_1.set_log 216\n"))
    }
}
