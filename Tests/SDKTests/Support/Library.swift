// SPDX-License-Identifier: Apache-2.0

import Testing

/// What a plugin's library file says about itself.
struct Library {
    let path: String

    /// Exactly one global symbol, everything bound at load, no path of the machine that it was built on.
    func check(_ location: SourceLocation = #_sourceLocation) async throws {
        let symbols = try await Program.must(["nm", "-D", "--defined-only", "--extern-only", "--format=posix", path])
        let names = symbols.split(separator: "\n").map { String($0.prefix { $0 != " " }) }
        #expect(names == ["trove_plugin_entry"], "\(path)", sourceLocation: location)

        let dynamic = try await Program.must(["readelf", "-W", "-d", path])
        #expect(dynamic.contains("BIND_NOW") || dynamic.contains("NOW"), "\(path) binds late", sourceLocation: location)
        for line in dynamic.split(separator: "\n") where line.contains("(RUNPATH)") || line.contains("(RPATH)") {
            #expect(line.hasSuffix("[$ORIGIN]"), "\(path): \(line)", sourceLocation: location)
        }
        let segments = try await Program.must(["readelf", "-W", "-l", path])
        #expect(segments.contains("GNU_RELRO"), "\(path) has writable tables", sourceLocation: location)
        #expect(!segments.contains(#/GNU_STACK.*RWE/#), "\(path) has an executable stack", sourceLocation: location)
    }
}
