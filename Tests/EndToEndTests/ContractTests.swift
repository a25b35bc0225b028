// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

extension EndToEnd {
    /// Every row of `Tests/Contract/rows.yaml` is sent; what came of it is what docs/contract.md says.
    @Suite("The REST contract", .serialized)
    struct ContractTests {
        /// What the control plane of the test and its datastores have.
        private static let features = [
            "sql", "logs", "ssl", "modules", "access", "resize", "upgrade", "security_groups", "volume_support",
            "no_replication",
            "no_clusters", "image_check_off", "no_default_datastore",
        ]

        @Test("every row is answered as it says", .timeLimit(.minutes(10)))
        func rows() async throws {
            let environment = ["TROVE_API_RATE_LIMIT_PER_MINUTE": "6000", "TROVE_DEFAULT_DATASTORE": ""]
            try await ControlPlane.with(environment: environment, configure: addPlainDatastore) { plane in
                let report = ProcessInfo.processInfo.environment["TROVE_CONTRACT_REPORT"] ?? ""
                let result = try await Command.run(
                    ["/usr/bin/python3", "-B", Build.root + "/scripts/contract/run.py"]
                        + (report.isEmpty ? [] : ["--report", report]),
                    input: try await document(plane).text, seconds: 500)
                let lines = result.output.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) }
                for line in lines where line["outcome"] == "fail" {
                    Issue.record("\(line["row"]?.stringValue ?? ""): \(line["why"]?.stringValue ?? "")")
                }
                #expect(result.status == 0 && lines.count > 400, "\(result.errors)")
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)\(audit.errors)")
                if report.isEmpty { try compare(lines, plane.shape) }
            }
        }

        /// A datastore without databases, users, backups and parameters.
        private func addPlainDatastore(_ plane: ControlPlane) throws {
            for engine in ["mariadb", "redis"] { try plane.copySample("datastores/\(engine).yaml") }
            try FileManager.default.createDirectory(
                atPath: plane.home + "/plugins", withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: Build.folder + "/examples/memcached", toPath: plane.home + "/plugins/memcached")
            try MemcachedPackage.enable(in: plane)
        }

        /// The page's column of this shape has as many passes as the run.
        private func compare(_ lines: [JSONValue], _ shape: Shape) throws {
            let page = try String(contentsOfFile: Build.root + "/docs/contract.md", encoding: .utf8)
            let column = shape == .embedded ? 6 : 7
            let told = page.split(separator: "\n").filter { $0.hasPrefix("| ") }
                .map { $0.components(separatedBy: " | ") }.filter { $0.count == 7 }
                .map { $0[column - 1].trimmingCharacters(in: CharacterSet(charactersIn: " |")) }
            let passes = lines.count { $0["outcome"] == "pass" }
            #expect(
                told.count { $0 == "pass" } == passes,
                "docs/contract.md is of another run; write it anew with TROVE_CONTRACT_REPORT=docs/contract.md")
        }

        private func document(_ plane: ControlPlane) async throws -> JSONValue {
            let member = try await RESTClient.login(plane)
            let administrator = try await RESTClient.login(plane, asAdministrator: true)
            let callers: [(String, RESTClient)] = [
                ("member", member), ("admin", administrator), ("other", try await OperatorTests.stranger(plane)),
            ]
            var store: JSONValue = ["sqlite": .string(plane.home + "/state/trove.db")]
            if let space = plane.space {
                let client = try space.sqlClient()
                store = [
                    "command": .array(client.arguments.map { .string($0) }),
                    "environment": .object(client.environment.mapValues { .string($0) }),
                ]
            }
            return [
                "url": .string(plane.url), "shape": .string(plane.shape.rawValue), "store": store,
                "features": .array(Self.features.map { .string($0) }),
                "key_manager": .string(try KeyManagerClient(member).base),
                "callers": .object(
                    Dictionary(
                        uniqueKeysWithValues: callers.map { name, client in
                            (name, ["project": .string(client.project), "token": .string(client.token)])
                        })),
            ]
        }
    }
}
