// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("Libraries in the tree")
struct LibraryTests {
    @Test("every plugin of ours exports the entry alone and keeps no path of the build")
    func plugins() async throws {
        let folder = Build.folder + "/plugins"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }
        #expect(names.count >= 3)
        for name in names { try await Library(path: "\(folder)/\(name)/\(name).so").check() }
    }

    @Test("the examples build with the SDK alone, load on trial, and do the same", .timeLimit(.minutes(5)))
    func examples() async throws {
        try await Program.must([Build.root + "/Plugins/Examples/build.sh", Build.configuration])
        for name in ["hello-c", "hello-rust", "hello-swift", "memcached"] {
            let library = "\(Build.folder)/examples/\(name)/\(name).so"
            try await Library(path: library).check()
            let described = try await Program.must([Build.trove, "plugin-probe", library])
            #expect(described.contains("org.example.\(name)"), "\(described)")
        }
    }
}
