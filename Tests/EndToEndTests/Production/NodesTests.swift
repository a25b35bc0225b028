// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

extension EndToEnd {
    /// What the other suites stand on does what they think it does.
    @Suite("Private nodes", .serialized)
    struct NodesTests {
        @Test("answer, come back after kill -9 with their rows, and end with who started them", .timeLimit(.minutes(3)))
        func nodes() async throws {
            let directory: String
            do {
                let nodes = try Nodes([.mariadb, .rabbitmq, .keystone], tls: true)
                directory = try nodes.text("directory")
                let space = try await NodeSpace.make(on: nodes)
                #expect(try await space.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (7)") == "")
                try nodes.kill(.mariadb)
                await #expect(throws: TestFailure.self) { try await space.sql("SELECT 1") }
                try nodes.start(.mariadb)
                #expect(try await space.sql("SELECT n FROM t") == "7")
                try await space.announce("http://127.0.0.1:9")
                let token = try await Command.run(
                    [Build.openstack, "catalog", "show", "database", "-f", "json"], environment: space.openrc)
                #expect(token.output.contains("http://127.0.0.1:9/v1.0/"), "\(token.errors)")
                try nodes.freeze(.keystone)
                try nodes.heal()
                try await space.drop()
                #expect(!ControlPlane.processes(mentioning: directory).isEmpty)
            }
            try await eventually(20, "everything has ended and is removed") {
                ControlPlane.processes(mentioning: directory).isEmpty
                    && !FileManager.default.fileExists(atPath: directory)
            }
        }

        @Test("die with a supervisor that is killed", .timeLimit(.minutes(1)))
        func supervisorDies() async throws {
            let nodes = try Nodes([.mariadb])
            let directory = try nodes.text("directory")
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let supervisor = pid_t(try nodes.port("pid"))
            #expect(ControlPlane.processes(mentioning: directory).count == 2)
            kill(supervisor, SIGKILL)
            try await eventually(5, "the node has ended") { ControlPlane.processes(mentioning: directory).isEmpty }
        }
    }
}
