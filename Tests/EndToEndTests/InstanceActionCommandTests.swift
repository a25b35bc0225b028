// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// What `trove instance action` reads, and how it ends.
    @Suite("The command for actions", .serialized)
    struct InstanceActionCommandTests {
        @Test("tells wrong usage, nobody, a wrong password and wrong settings apart", .timeLimit(.minutes(2)))
        func exitCodes() async throws {
            try await ControlPlane.with { plane in
                let rc = try plane.openrc()
                func run(_ words: [String], _ changes: [String: String] = [:]) async throws -> CommandResult {
                    try await Command.run(
                        [Build.trove, "instance", "action"] + words, environment: rc.merging(changes) { $1 })
                }
                for words in [
                    ["x"], ["--list", "x", "y"], ["x", "y", "a=1", "--json", "{}"], ["x", "y", "--nonsense"], [],
                ] {
                    #expect(try await run(words).status == 64, "\(words)")
                }
                let cases: [(name: String, changes: [String: String], code: Int32, words: String)] = [
                    ("as it is", [:], 1, "there is no instance 'x'"),
                    ("port of nobody", ["OS_AUTH_URL": "http://127.0.0.1:1/v3"], 69, "127.0.0.1"),
                    ("password", ["OS_PASSWORD": "wr0ng-Secret"], 77, "refuses user"),
                    ("name", ["OS_USERNAME": "nobody"], 77, "refuses user 'nobody'"),
                    ("empty URL", ["OS_AUTH_URL": ""], 78, "OS_AUTH_URL"),
                    (
                        "no URL", ["OS_AUTH_URL": "here"], 78,
                        "OS_AUTH_URL in the environment cannot be used: the url is not a URL"
                    ),
                    ("another scheme", ["OS_AUTH_URL": "ftp://here/v3"], 78, "OS_AUTH_URL"),
                    ("region", ["OS_REGION_NAME": "Mars"], 78, "region 'Mars'"),
                ]
                for one in cases {
                    let result = try await run(["x", "--list"], one.changes)
                    #expect(result.status == one.code, "\(one.name): \(result.status) \(result.errors)")
                    #expect(result.errors.contains(one.words), "\(one.name): \(result.errors)")
                    #expect(
                        !result.errors.contains("wr0ng-Secret") && !result.errors.contains(rc["OS_PASSWORD"] ?? "?"))
                }
                try await homes(plane, rc)
            }
        }

        /// The file of a home: quotes as a shell has them, lines that are none, and one that is not there.
        private func homes(_ plane: ControlPlane, _ rc: [String: String]) async throws {
            let other = plane.home + "/other"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            func run() async throws -> CommandResult {
                try await Command.run([Build.trove, "instance", "action", "x", "--list", "--home", other])
            }
            let absent = try await run()
            #expect(absent.status == 78 && absent.errors.contains("cannot read \(other)/openrc"), "\(absent.errors)")
            let password = try #require(rc["OS_PASSWORD"])
            let quoted = "'\(password.prefix(3))'\\\(password.dropFirst(3).prefix(1))'\(password.dropFirst(4))'"
            func write(_ lines: [String]) throws {
                try (lines.joined(separator: "\n") + "\n").write(
                    toFile: other + "/openrc", atomically: false, encoding: .utf8)
            }
            let rest = rc.filter { $0.key != "OS_PASSWORD" }.map { "export \($0.key)='\($0.value)'" }
            try write(["# comment", "", "unset OS_TOKEN", "export OS_PASSWORD=\(quoted)"] + rest)
            let read = try await run()
            #expect(read.status == 1 && read.errors.contains("there is no instance 'x'"), "\(read.errors)")
            try write(rest)
            let without = try await run()
            #expect(without.status == 78 && without.errors.contains("OS_PASSWORD is not set in \(other)/openrc"))
        }
    }
}
