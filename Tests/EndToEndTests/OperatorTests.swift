// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    @Suite("The operator's commands", .serialized)
    struct OperatorTests {
        @Test("a user of another project sees and reaches nothing of the first one's", .timeLimit(.minutes(5)))
        func otherTenant() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "mine")
                try await client.wait(id, for: "ACTIVE")
                let stranger = try await Self.stranger(plane)
                #expect(try await stranger.must("GET", "/instances")["instances"] == [])
                for (method, path) in [
                    ("GET", "/instances/\(id)"), ("DELETE", "/instances/\(id)"), ("GET", "/instances/\(id)/users"),
                    ("GET", "/instances/\(id)/root"), ("GET", "/instances/\(id)/backups"),
                ] {
                    #expect(try await stranger.call(method, path).status == 404, "\(method) \(path)")
                }
                let action = try await stranger.call("POST", "/instances/\(id)/action", ["restart": [:]])
                #expect(action.status == 404)
                let foreign = RESTClient(url: client.url, project: client.project, token: stranger.token)
                #expect(try await foreign.call("GET", "/instances").status == 403)
                try await client.delete(id)
            }
        }

        /// A member of another project: one that the operator adds, or one that Keystone has.
        static func stranger(_ plane: ControlPlane) async throws -> RESTClient {
            if let space = plane.space { return try await RESTClient.login(plane, space.other) }
            let words = [Build.trove, "user", "add", "--home", plane.home, "--project", "shop"]
            let added = try await Command.run(words + ["--role", "member", "alice"], input: "s3cret-Alice\n")
            #expect(added.status == 0, "\(added.errors)")
            let again = try await Command.run(words + ["alice"], input: "other\n")
            #expect(again.status == 1 && again.errors.contains("alice"), "\(again.errors)")
            return try await RESTClient.login(plane, user: "alice", password: "s3cret-Alice", project: "shop")
        }

        @Test("SIGHUP takes a datastore file that is new, and one that is gone", .timeLimit(.minutes(5)))
        func reload() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "steady")
                try await client.wait(id, for: "ACTIVE")
                let folder = plane.home + "/config/datastores"
                let samples = try FileManager.default.contentsOfDirectory(atPath: folder)
                #expect(samples.contains("mariadb.yaml"), "a new home has the samples: \(samples)")
                for name in samples { try FileManager.default.removeItem(atPath: folder + "/" + name) }
                try await plane.hangup()
                try await eventually(20, "the datastore is not offered any more") {
                    try await client.must("GET", "/datastores")["datastores"] == []
                }
                let refused = try await client.call("POST", "/instances", RESTClient.createBody(name: "late"))
                #expect(refused.status == 400, "\(String(decoding: refused.bytes, as: UTF8.self))")
                #expect(try await client.call("GET", "/instances/\(id)/databases").status == 200)
                try FileManager.default.copyItem(
                    atPath: Build.root + "/Config/datastores/mariadb.yaml", toPath: folder + "/mariadb.yaml"
                )
                try await plane.hangup()
                try await eventually(20, "the datastore is offered again") {
                    try await client.must("GET", "/datastores")["datastores"]?.arrayValue?.count == 1
                }
                let other = try await client.create(name: "late")
                try await client.wait(other, for: "ACTIVE")
                try await client.delete(other)
                try await client.delete(id)
            }
        }

        @Test("the sample configurations are read, and have every key")
        func samples() throws {
            for name in ["Config/trove.yaml", "Config/production/trove.yaml"] {
                let text = try String(contentsOfFile: Build.root + "/" + name, encoding: .utf8)
                let folder = Build.root + "/Sources/trove/Worker/Settings"
                let keys = try FileManager.default.contentsOfDirectory(atPath: folder).flatMap { file in
                    let source = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
                    return source.matches(of: #/static let [a-z]+: Set<String> = \[([^\]]+)\]/#).flatMap { list in
                        list.output.1.matches(of: #/"([a-z_.]+)"/#).map { String($0.output.1) }
                    }
                }
                #expect(keys.count > 60)
                var section = ""
                var found: Set<String> = []
                for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                    let name = line.trimmingCharacters(in: .whitespaces).prefix { $0 != ":" }
                    if line.hasPrefix(" ") {
                        found.insert("\(section).\(name)")
                    } else if line.hasSuffix(":") {
                        section = String(name)
                    } else if line.contains(": ")
                        && !line.split(separator: "#")[0].trimmingCharacters(in: .whitespaces).hasSuffix(":")
                    {
                        found.insert(String(name))
                    } else {
                        section = String(name)
                    }
                }
                #expect(found == Set(keys), "\(name): \(found.symmetricDifference(keys))")
            }
        }
    }
}
