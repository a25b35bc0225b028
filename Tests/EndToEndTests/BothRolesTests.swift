// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Plugins that are mapped beside an engine and in the control plane, and talk to themselves.
    @Suite("Plugins in both roles", .serialized)
    struct BothRolesTests {
        @Test("in Swift and in C, on an instance that serves", .timeLimit(.minutes(4)))
        func everything() async throws {
            let port = try Listener("127.0.0.1", 0).port
            try await ControlPlane.with(configure: { plane in
                try plane.configure("trove.yaml", "metrics:\n  listen: 127.0.0.1:\(port)\n")
                try BothRolesPlugins.install(in: plane)
            }) { plane in
                let client = try await RESTClient.login(plane)
                let id = try await Self.create(client)
                let subject = BothRolesInstance(plane: plane, client: client, id: id)
                try await subject.list()
                try await subject.actions()
                try await subject.refusals()
                try await subject.secrets()
                try await subject.messages()
                try await subject.objects()
                try await subject.rootReport()
                try await subject.metrics(port: port)
                try await subject.memory()
                try await client.delete(id)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        private static func create(_ client: RESTClient) async throws -> String {
            let body: JSONValue = [
                "instance": [
                    "name": "both", "flavorRef": "1", "volume": ["size": 1],
                    "datastore": ["type": "redis", "version": "7.0"],
                ]
            ]
            let answer = try await client.must("POST", "/instances", body)
            let id = try #require(answer["instance"]?["id"]?.stringValue)
            try await client.wait(id, for: "ACTIVE")
            return id
        }
    }
}

/// An instance whose version names both plugins.
struct BothRolesInstance {
    let plane: ControlPlane
    let client: RESTClient
    let id: String

    /// `trove instance action both …`, with what it reads from standard input.
    func command(_ words: String..., input: String? = nil) async throws -> CommandResult {
        try await command(words, input: input)
    }

    private func command(_ words: [String], input: String?) async throws -> CommandResult {
        // A home has an openrc where identity is built in.
        let home = plane.space == nil ? ["--home", plane.home] : []
        return try await Command.run(
            [Build.trove, "instance", "action", "both"] + words + home, environment: plane.space?.openrc ?? [:],
            input: input)
    }

    /// What an action emits; through the command.
    func act(_ words: String..., input: String? = nil) async throws -> JSONValue {
        let result = try await command(words, input: input)
        guard result.status == 0 else { throw TestFailure("\(words): \(result.status) \(result.errors)") }
        return result.output.isEmpty ? .null : try JSONValue(parsing: result.output)
    }

    func post(_ action: String, _ arguments: JSONValue, as other: RESTClient? = nil) async throws -> RESTClient.Answer {
        try await (other ?? client).call("POST", "/instances/\(id)/action", .object([action: arguments]))
    }

    func list() async throws {
        let listed = try await command("--list")
        #expect(listed.status == 0, "\(listed.errors)")
        for line in [
            "swift_greet (read only)  Says hello  [\(BothRolesPlugins.swift)]", "c_add (read only)  Adds",
            "times, i32, optional, default 1, at least 1, at most 5: count", "key, str, secret: the key", "c_note",
        ] { #expect(listed.output.contains(line), "\(line) in\n\(listed.output)") }
        let items = try await client.must("GET", "/instances/\(id)/actions")["actions"]?.arrayValue ?? []
        #expect(items.count == 15)
        #expect(Set(items.compactMap { $0["role"]?.stringValue }) == ["guest", "control"])
    }

    func actions() async throws {
        let agent = try #require(plane.agent(of: id))
        let greeted = try await act("swift_greet", "who=world", "times=3")
        #expect(greeted == ["hello": "world", "times": 3, "pid": .int(Int64(agent))])
        #expect(try await act("swift_greet", "who=a=b ü")["hello"] == "a=b ü")
        #expect(try await act("swift_greet", "--json", #"{"who": "document"}"#)["times"] == 1)
        #expect(try await act("c_add", "a=41") == ["sum": 42, "pid": .int(Int64(agent))])
        // What only requests over HTTP need is not mapped before there is one.
        let maps = try ControlPlane.kernelFile("/proc/\(agent)/maps")
        #expect(maps.contains("both-swift.so") && maps.contains("both-c.so") && !maps.contains("libcurl"))
        #expect(try await act("c_add", "a=9007199254740993", "b=-3")["sum"] == .int(9_007_199_254_740_990))
    }

    func refusals() async throws {
        let wrong: [(String, JSONValue, String)] = [
            ("swift_greet", ["who": 5], "argument 'who' must be text"),
            ("swift_greet", ["who": "x", "times": 9], "argument 'times' must be at most 5"),
            ("swift_greet", [:], "argument 'who' is missing"),
            ("c_add", ["a": "x"], "argument 'a' must be an integer"),
            ("c_add", ["a": 1, "c": 2], "argument 'c' is not one of"),
        ]
        for (action, arguments, words) in wrong {
            let answer = try await post(action, arguments)
            #expect(answer.status == 400)
            #expect(answer.words.contains(words), "\(answer.words)")
        }
        #expect(try await post("nobody_knows", [:]).status == 400)
        let forbidden = try await post("swift_resolve", [:])
        #expect(forbidden.status == 403 && forbidden.words.contains("instance:reset_status"), "\(forbidden.words)")
        let admin = try await RESTClient.login(plane, asAdministrator: true)
        #expect(try await post("swift_resolve", [:], as: admin).status == 200)

        let results = [
            try await command("swift_greet", "who=x", "times=lots"), try await command("nobody_knows"),
            try await command("swift_resolve"),
        ]
        #expect(results.map(\.status) == [1, 1, 1])
        #expect(results[0].errors.contains("argument 'times'"), "\(results[0].errors)")
        #expect(results[2].errors.contains("instance:reset_status"), "\(results[2].errors)")
        for words in [["nobody_knows", "a=1"], ["swift_greet", "whom=x"], ["swift_greet", "who"]] {
            let result = try await command(words, input: nil)
            #expect(result.status == 64, "\(words): \(result.errors)")
        }
    }

    /// A secret is read from standard input or a file, and is found nowhere afterwards.
    func secrets() async throws {
        let secret = "Xq7-veryHidden-\(UUID().uuidString.prefix(8))"
        let shown = try await command("swift_sign", "key=\(secret)", "text=a")
        #expect(shown.status == 64 && !shown.errors.contains(secret), "\(shown.errors)")
        #expect(
            try await act("swift_sign", "key=-", "text=abc", input: secret + "\n")["bytes"]
                == .int(Int64(secret.utf8.count + 3)))
        #expect(try await act("c_sign", "key=-", input: secret)["bytes"] == .int(Int64(secret.utf8.count)))
        let told = try await command("swift_sign", "key=-", "text=tell", input: secret)
        #expect(told.status == 1 && told.errors.contains("HTTP 422"), "\(told.errors)")
        #expect(!told.errors.contains(secret) && !told.output.contains(secret))
        // The search does find what the plugin logged beside it.
        #expect(try files(with: "abc").contains { $0.hasSuffix("/agent.log") })
        #expect(try files(with: secret) == [])
        #expect(try !String(contentsOfFile: plane.logPath, encoding: .utf8).contains(secret))
    }

    /// Files of the home, the instances' included, that hold a text.
    private func files(with text: String) throws -> [String] {
        let wanted = Data(text.utf8)
        let names = FileManager.default.enumerator(atPath: plane.home)?.compactMap { $0 as? String } ?? []
        return names.filter { name in
            let path = plane.home + "/" + name
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                attributes[.type] as? FileAttributeType == .typeRegular, (attributes[.size] as? Int ?? 0) < 8 << 20
            else { return false }
            return FileManager.default.contents(atPath: path)?.range(of: wanted) != nil
        }
    }

    func messages() async throws {
        let agent = JSONValue.int(Int64(try #require(plane.agent(of: id))))
        let control = Set(ControlPlane.descendants(of: try #require(plane.pid)).map { JSONValue.int(Int64($0)) })
        // From a route to the guest.
        let down = try await client.must("GET", "/instances/\(id)/swift-peer")
        #expect(
            down["peer"] == [
                "from": "control", "instance_id": .string(id), "payload": ["asked_by": .string(client.project)],
                "pid": agent,
            ])
        #expect(down["root"] == false && down["pid"] != agent && control.contains(down["pid"] ?? .null))
        let downC = try await client.must("GET", "/instances/\(id)/c-peer")
        #expect(downC == ["from": "control", "instance_id": .string(id), "payload": [1, 2], "pid": agent])
        // From an action in the guest to the control plane.
        for up in [
            try await act("swift_ask", "method=about", #"payload={"a":[1,null]}"#),
            try await act("c_ask", #"payload={"a":[1,null]}"#),
        ] {
            #expect(up["from"] == "guest" && up["instance_id"] == .string(id) && up["payload"] == ["a": [1, .null]])
            #expect(up["pid"] != agent && control.contains(up["pid"] ?? .null))
        }
        let failed = try await post("swift_ask", ["method": "nonsense", "payload": 1])
        #expect(failed.status == 404 && failed.words.contains("nothing is known of 'nonsense'"), "\(failed.words)")
        // A message without an answer arrives.
        #expect(try await post("swift_tell", ["value": "told"]).status == 202)
        try await eventually(20, "the other role has the value") {
            try await act("swift_note")["value"] == "told"
        }
    }

    func objects() async throws {
        let text = String(repeating: "grün ", count: 50_000)
        let kept = try await post("swift_keep", ["name": "one/two", "text": .string(text)])
        #expect(kept.status == 200, "\(kept.words.prefix(300))")
        #expect(kept.body?["text"] == .string(text) && kept.body?["left"] == 0)
        #expect(kept.body?["objects"] == [.string("one/two \(text.utf8.count)")])
        #expect(try await act("c_keep", "name=three", "text=") == ["text": ""])
        #expect(try await act("c_keep", "name=three", "text=abc") == ["text": "abc"])
    }

    func rootReport() async throws {
        #expect(try await post("swift_found_root", [:]).status == 202)
        try await eventually(20, "root is in the history") {
            try await client.must("GET", "/instances/\(id)/swift-peer")["root"] == true
        }
    }

    func metrics(port: UInt16) async throws {
        let answer = try await RESTClient.send("GET", "http://127.0.0.1:\(port)/metrics", nil, token: nil)
        #expect(answer.status == 200)
        let lines = answer.words.split(separator: "\n")
        for (plugin, name) in [(BothRolesPlugins.swift, "both_swift"), (BothRolesPlugins.c, "both_c")] {
            #expect(
                lines.contains {
                    $0.hasPrefix("trove_plugin_\(name)_answered{") && $0.contains("plugin=\"\(plugin)\"")
                        && !$0.hasSuffix(" 0")
                }, "\(name)")
            #expect(lines.contains { $0.hasPrefix("trove_plugin_calls_total{") && $0.contains("plugin=\"\(plugin)\"") })
        }
    }

    /// Values outlive the agent and the control plane; each role has its own.
    func memory() async throws {
        for language in ["swift", "c"] {
            #expect(try await act("\(language)_remember")["value"] == .null)
            _ = try await act("\(language)_remember", "value=first")
            _ = try await act("\(language)_remember", "value=in the guest")
            _ = try await act("\(language)_note", "value=in control")
        }
        let guest = [try await act("swift_remember"), try await act("c_remember")]
        #expect(guest.map { $0["value"] } == ["in the guest", "in the guest"])
        let before = try #require(plane.agent(of: id))
        kill(before, SIGKILL)
        try await plane.stop()
        try await plane.start()
        try await eventually(60, "the instance has another agent that answers") {
            guard let after = plane.agent(of: id), after != before else { return false }
            return try await post("c_add", ["a": 1]).status == 200
        }
        #expect([try await act("swift_remember"), try await act("c_remember")] == guest)
        #expect(try await act("swift_note")["value"] == "in control")
        #expect(try await act("c_note")["value"] == "in control")
    }
}

extension RESTClient.Answer {
    /// The body as text.
    var words: String { String(decoding: bytes, as: UTF8.self) }
}
