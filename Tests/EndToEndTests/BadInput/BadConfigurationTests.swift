// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// A wrong file stops the start with its name, line and reason.
    @Suite(
        "Bad configuration", .serialized,
        .enabled(if: Shape.current == .embedded, "files of one home and the lock of one process are what it is about"))
    struct BadConfigurationTests {
        private struct Case {
            var file: String
            var text: String
            /// Line in the file; 0 where the file is wrong as a whole.
            var line: Int
            var reason: String
        }

        private static let good = "datastore: d\nversions:\n"
        private static let cases = [
            Case(
                file: "datastores/d.yaml", text: good + "  - name: \"1\"\n    plugin: a.b\n    colour: red\n", line: 5,
                reason: "'colour' is not known in a version"),
            Case(
                file: "datastores/d.yaml", text: good + "  - name: \"1\"\n", line: 3,
                reason: "version '1' needs 'plugin'"),
            Case(
                file: "datastores/d.yaml",
                text: good + "  - {name: \"1\", plugin: a.b}\n  - {name: \"1\", plugin: a.b}\n", line: 4,
                reason: "version '1' appears twice"),
            Case(
                file: "datastores/d.yaml",
                text: "datastore: d\ndefault_version: \"2\"\nversions: [{name: \"1\", plugin: a.b}]\n",
                line: 2, reason: "'2' is not an active version of 'd'"),
            Case(file: "datastores/d.yaml", text: good, line: 2, reason: "'versions' must be a list"),
            Case(
                file: "trove.yaml", text: "region: R\ncompute:\n  address_rang: 127.9.0.0/16\n", line: 3,
                reason: "'compute.address_rang' is not a key"),
            Case(
                file: "trove.yaml", text: "quotas:\n  instances: many\n", line: 2, reason: "'quotas.instances' must be"),
            Case(
                file: "trove.yaml", text: "quotas:\n  instances: [1]\n", line: 2, reason: "'quotas.instances' must be"),
            Case(
                file: "trove.yaml", text: "compute:\n  unprivileged: perhaps\n", line: 2,
                reason: "'compute.unprivileged' must be true or false"),
            Case(
                file: "trove.yaml", text: "compute:\n  volume_overcommit: lots\n", line: 2,
                reason: "'compute.volume_overcommit' must be"),
            Case(
                file: "trove.yaml", text: "compute:\n  address_range: 10.0.0.0/8\n", line: 2, reason: "not '10.0.0.0/8'"
            ),
            Case(file: "trove.yaml", text: "- a\n", line: 1, reason: "must be a mapping"),
            Case(file: "flavors.yaml", text: "flavors: [\n", line: 2, reason: "not YAML"),
            Case(
                file: "flavors.yaml", text: "flavors:\n  - {id: \"1\", name: a, ram: big, vcpus: 1}\n", line: 2,
                reason: "'ram' of flavor 1 must be a whole number"),
            Case(file: "flavors.yaml", text: "", line: 0, reason: "empty"),
            Case(
                file: "plugins.yaml", text: "enabled: org.trove.sqladmin\n", line: 1, reason: "'enabled' must be a list"
            ),
        ]

        @Test("ends the start with code 78, the place and the reason, and leaves nothing", .timeLimit(.minutes(3)))
        func files() async throws {
            for item in Self.cases {
                let plane = try ControlPlane()
                try plane.configure(item.file, item.text)
                let begin = ContinuousClock.now
                let result = try await plane.trove(["serve", "--listen", "127.0.0.1:0"])
                let place = "\(plane.home)/config/\(item.file)" + (item.line > 0 ? ":\(item.line):" : "")
                #expect(result.status == 78, "\(item.text): \(result.status)")
                #expect(result.errors.contains(place), "\(place): \(result.errors)")
                #expect(result.errors.contains(item.reason), "\(item.reason): \(result.errors)")
                #expect(result.output.isEmpty)
                #expect(ContinuousClock.now - begin < .seconds(10))
                #expect(ControlPlane.processes(naming: plane.home).isEmpty)
                await plane.destroy()
            }
        }

        @Test(
            "without a datastore's file creates say so, instances live, and SIGHUP takes it up", .timeLimit(.minutes(3))
        )
        func reload() async throws {
            let file = "datastores/mariadb.yaml"
            try await ControlPlane.with(configure: { try $0.copySample(file) }) { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "lives")
                try await client.wait(id, for: "ACTIVE")
                try await plane.stop()
                try FileManager.default.removeItem(atPath: plane.home + "/config/" + file)
                try await plane.start()
                let again = try await RESTClient.login(plane)
                let refused = try await again.call("POST", "/instances", RESTClient.createBody(name: "new"))
                #expect(refused.status == 400)
                #expect(
                    refused.body?["badRequest"]?["message"]?.stringValue == "Datastore version '10.11' is not active.",
                    "\(refused.body?.text ?? "")")
                try await eventually(20, "the agent is connected") {
                    try await again.call("GET", "/instances/\(id)/databases").status == 200
                }
                #expect(try await again.must("GET", "/instances/\(id)")["instance"]?["status"] == "ACTIVE")

                // A wrong file changes nothing; the right one is taken up.
                try plane.configure(file, "datastore: mariadb\ncolour: red\n")
                let parent = try #require(plane.pid)
                kill(parent, SIGHUP)
                try await eventually(10, "the wrong file is named") {
                    plane.logTail(50).contains(plane.home + "/config/" + file + ":2")
                }
                #expect(try await again.call("POST", "/instances", RESTClient.createBody(name: "new")).status == 400)
                try FileManager.default.removeItem(atPath: plane.home + "/config/" + file)
                try plane.copySample(file)
                kill(parent, SIGHUP)
                var made = ""
                try await eventually(20, "a create is accepted") {
                    let answer = try await again.call("POST", "/instances", RESTClient.createBody(name: "new"))
                    made = answer.body?["instance"]?["id"]?.stringValue ?? ""
                    return answer.status == 200
                }
                try await again.wait(made, for: "ACTIVE")
                try await again.delete(made)
                try await again.delete(id)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        @Test("a home that is served, and a port that is taken, are told apart and left alone", .timeLimit(.minutes(2)))
        func taken() async throws {
            try await ControlPlane.with { plane in
                let second = try await plane.trove(["serve", "--listen", "127.0.0.1:0"])
                #expect(second.status == 78, "\(second.status)")
                #expect(second.errors.contains("another control plane serves \(plane.home)"), "\(second.errors)")
                let other = try ControlPlane()
                let listener = try Listener("127.0.0.1", 0)
                let begin = ContinuousClock.now
                let result = try await other.trove(["serve", "--listen", "127.0.0.1:\(listener.port)"])
                #expect(result.status == 78, "\(result.status)")
                #expect(
                    result.errors.contains("127.0.0.1:\(listener.port)") && result.errors.contains("TROVE_LISTEN"),
                    "\(result.errors)")
                #expect(ContinuousClock.now - begin < .seconds(5))
                await other.destroy()
                for text in ["nonsense", "1.2.3.4:99999", "::1:80", "127.0.0.1:"] {
                    let result = try await plane.trove(["serve", "--listen", text])
                    #expect(
                        result.status == 78 && result.errors.contains("127.0.0.1:8779"), "\(text): \(result.errors)")
                }
                _ = try await RESTClient.login(plane).must("GET", "/instances")
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }
    }
}

extension ControlPlane {
    /// Processes whose command line names `text`.
    static func processes(naming text: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { pid in
            guard pid != getpid(), let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else {
                return false
            }
            return String(decoding: data, as: UTF8.self).contains(text)
        }
    }
}
