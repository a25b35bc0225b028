// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Logs of a real server: turned on, published, and read back as clients of an object store do.
    @Suite("Guest logs", .serialized)
    struct GuestLogTests {
        private static let users: JSONValue = [
            "users": [["name": "clerk", "password": "s3cret", "databases": []]]
        ]

        @Test(
            "logs are turned on, published in parts, read with the client, outlive agents, and are discarded",
            .timeLimit(.minutes(10)))
        func life() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let administrator = try await RESTClient.login(plane, asAdministrator: true)
                let id = try await client.create(name: "talkative", extra: Self.users)
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))

                let logs = try await client.must("GET", "/instances/\(id)/log")["logs"]?.arrayValue ?? []
                #expect(logs.map { $0["name"] } == ["general", "slow_query"], "the error log is not the tenant's")
                #expect(logs.allSatisfy { $0["type"] == "USER" && $0["status"] == "Disabled" })
                #expect(logs.first?["container"] == "None" && logs.first?["published"] == 0)
                try await refusals(client, administrator, id)

                #expect(try await act(client, id, "general", ["enable": 1])["status"] != "Disabled")
                try await run(address, "SELECT 'needle-4711'")
                let published = try await act(client, id, "general", ["publish": 1])
                #expect(published["status"] == "Published" && published["pending"] == 0)
                #expect(published["container"] == "database_logs")
                #expect(published["prefix"]?.stringValue == "\(id)/mariadb-general/")
                #expect(try await objects(client, published).count == 1)
                #expect(try await text(client, published).contains("needle-4711"))

                // What comes later is another part, also of a later agent.
                try await replaceAgent(plane, client, id)
                try await run(address, "SELECT 'needle-4712'")
                let partial = try await act(client, id, "general", [:])
                #expect(partial["status"] == "Partial")
                #expect(partial["pending"]?.intValue ?? 0 > 0 && partial["published"] == published["published"])
                try await act(client, id, "general", ["publish": 1])
                #expect(try await objects(client, published).count == 2)
                let both = try await text(client, published)
                #expect(both.contains("needle-4711") && both.contains("needle-4712"))
                #expect(both.components(separatedBy: "needle-4711").count == 2, "each line is published once")
                try await check(withClient: plane, id)

                // Slow statements are those that the session calls slow.
                try await act(client, id, "slow_query", ["enable": 1])
                try await run(address, "SET SESSION long_query_time = 0; SELECT 'slow-needle'")
                let slow = try await act(client, id, "slow_query", ["publish": 1, "disable": 0])
                #expect(try await text(client, slow).contains("slow-needle"))

                // A server that is started anew goes on.
                try await client.must("POST", "/instances/\(id)/action", ["restart": [:]])
                try await client.wait(id, for: "ACTIVE")
                try await run(address, "SELECT 'needle-4713'")
                try await act(client, id, "general", ["publish": 1])
                #expect(try await text(client, published).contains("needle-4713"))

                // Another project may not read them.
                let other = "\(plane.url)/object-store/v1/AUTH_\(administrator.project)0/database_logs"
                #expect(try await RESTClient.send("GET", other, nil, token: client.token).status == 403)
                #expect(try await RESTClient.send("GET", other, nil, token: nil).status == 401)

                let gone = try await act(client, id, "general", ["discard": 1, "disable": 1])
                #expect(gone["published"] == 0 && gone["container"] == "None" && gone["status"] == "Disabled")
                #expect(try await objects(client, published).isEmpty)
                try await run(address, "SELECT 'needle-4714'")
                try await act(client, id, "general", ["publish": 1, "disable": 1])
                #expect(try await text(client, published).contains("needle-4714") == false)

                // Administrators read what the server says of itself.
                let error = try await act(administrator, id, "error", ["publish": 1])
                #expect(error["type"] == "SYS" && error["status"] == "Published")
                let lines = try await text(client, error)
                #expect(lines.contains("ready for connections"))
                try await client.delete(id)
            }
        }

        private func refusals(_ client: RESTClient, _ administrator: RESTClient, _ id: String) async throws {
            func status(_ client: RESTClient, _ body: JSONValue) async throws -> Int {
                try await client.call("POST", "/instances/\(id)/log", body).status
            }
            #expect(try await status(client, ["name": "general", "enable": 1, "disable": 1]) == 400)
            #expect(try await status(client, ["name": "nonsense"]) == 400)
            #expect(try await status(client, [:]) == 400)
            #expect(try await status(client, ["name": "error"]) == 403)
            #expect(try await status(client, ["name": "error", "publish": 1]) == 403)
            #expect(try await status(administrator, ["name": "error", "disable": 1]) == 400)
            let names = try await administrator.must("GET", "/instances/\(id)/log")["logs"]?.arrayValue ?? []
            #expect(names.map { $0["name"] } == ["error", "general", "slow_query"])
        }

        /// Ends the instance's agent and waits for the next one.
        private func replaceAgent(_ plane: ControlPlane, _ client: RESTClient, _ id: String) async throws {
            let agent = try #require(RecoveryTests.agent(of: id, in: plane))
            kill(agent, SIGKILL)
            try await eventually(30, "another agent is there") {
                RecoveryTests.agent(of: id, in: plane).map { $0 != agent } ?? false
            }
            try await eventually(60, "the new agent answers") {
                try await client.call("GET", "/instances/\(id)/log").status == 200
            }
        }

        /// The unmodified client finds the object store in the catalogue.
        private func check(withClient plane: ControlPlane, _ id: String) async throws {
            let session = try ClientSession(plane)
            defer { session.close() }
            let list = try await session.run(["database", "log", "list", id, "-f", "json"])
            #expect(list.arrayValue?.count == 2)
            let tail = try await session.run(["database", "log", "tail", id, "general", "--lines", "50"])
            #expect(tail.text.contains("needle-4712"))
            let file = FileManager.default.temporaryDirectory.path + "/" + UUID().uuidString
            defer { try? FileManager.default.removeItem(atPath: file) }
            try await session.run(["database", "log", "save", id, "general", "--file", file])
            let saved = try String(contentsOfFile: file, encoding: .utf8)
            #expect(saved.contains("needle-4711") && saved.contains("needle-4712"))
        }

        @discardableResult
        private func act(
            _ client: RESTClient, _ id: String, _ name: String, _ flags: [String: JSONValue]
        ) async throws -> JSONValue {
            var body = flags
            body["name"] = .string(name)
            return try await client.must("POST", "/instances/\(id)/log", .object(body))["log"] ?? .null
        }

        /// The log's parts, oldest first, as an object store lists them.
        private func objects(_ client: RESTClient, _ log: JSONValue) async throws -> [String] {
            let prefix = log["prefix"]?.stringValue ?? ""
            let answer = try await RESTClient.send(
                "GET", base(client) + "/database_logs?format=json&prefix=\(prefix)", nil, token: client.token)
            if answer.status == 404 { return [] }
            #expect(answer.status == 200)
            return (answer.body?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        }

        private func text(_ client: RESTClient, _ log: JSONValue) async throws -> String {
            var text = ""
            for name in try await objects(client, log) {
                let url = base(client) + "/database_logs/" + name
                let answer = try await RESTClient.send("GET", url, nil, token: client.token)
                #expect(answer.status == 200)
                let part = String(decoding: answer.bytes, as: UTF8.self)
                let head = try await RESTClient.send("HEAD", url, nil, token: client.token)
                let lines = part.count { $0 == "\n" } + (part.hasSuffix("\n") ? 0 : 1)
                #expect(head.headers["x-object-meta-lines"] == String(lines))
                text += part
            }
            return text
        }

        private func base(_ client: RESTClient) -> String { "\(client.url)/object-store/v1/AUTH_\(client.project)" }

        private func run(_ address: String, _ statement: String) async throws {
            _ = try await SQL.run(address, user: "clerk", password: "s3cret", statement)
        }
    }
}
