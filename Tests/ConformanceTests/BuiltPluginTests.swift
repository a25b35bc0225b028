// SPDX-License-Identifier: Apache-2.0

import Conformance
import Foundation
import Testing

/// The plugins of this build, without their engines.
@Suite("The plugins of this build")
struct BuiltPluginTests {
    static let names: [String] = {
        let folder = ExamplePlugin.beside("plugins")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)/plugin.json") }.sorted()
    }()

    @Test("a plugin of this build has no finding", arguments: names)
    func plugin(_ name: String) async throws {
        let report = try await ExamplePlugin.onThread {
            try ExamplePlugin.check(
                URL(fileURLWithPath: ExamplePlugin.beside("plugins") + "/" + name), repeats: 200)
        }
        #expect(report.passed, "\(report.table)")
    }
}
