// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// `InstallationGuideTests` runs their command lines.
    @Suite("Units for systemd")
    struct SystemdUnitTests {
        @Test("systemd takes every unit without a word")
        func verify() async throws {
            let scratch = "/tmp/trove-units-" + UUID().uuidString.prefix(8).lowercased()
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: scratch) }
            let folder = Build.root + "/Config/production/systemd"
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(names.contains("trove-api.service") && names.contains("trove-taskmanager.service"))
            for name in names {
                let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
                // The program of this build, where the page installs it elsewhere.
                try text.replacingOccurrences(of: "/usr/local/bin/trove", with: Build.trove)
                    .write(toFile: "\(scratch)/\(name)", atomically: false, encoding: .utf8)
            }
            let result = try await Command.run(
                ["/usr/bin/systemd-analyze", "verify", "--man=no"] + names.map { "\(scratch)/\($0)" })
            #expect(result.status == 0 && result.output.isEmpty, "\(result.output)")
            #expect(!result.errors.contains(scratch) && !result.errors.contains("trove-"), "\(result.errors)")
        }
    }
}
