// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import StateStore
import TestSupport
import Testing

@testable import API
@testable import PluginHost

@Suite("Actions of plugins")
struct PluginActionTests {
    private static let guest = action(
        "flush_hosts", policy: "instance:flush_hosts",
        [
            ["name": "scope", "type": "str", "enum": ["all", "idle"]],
            ["name": "limit", "type": "u64", "default": 100, "minimum": 1],
            ["name": "token", "type": "str", "optional": true, "secret": true],
        ])
    private static let look = action("look", policy: "instance:look", [], readOnly: true)
    private static let control = action(
        "count", policy: "instance:count", [["name": "instance_id", "type": "str"]], role: "control")

    private static func action(
        _ name: String, policy: String, _ arguments: JSONValue, role: String = "guest", readOnly: Bool = false
    ) -> ActionDeclaration {
        let json: JSONValue = [
            "name": .string(name), "policy": .string(policy), "role": .string(role), "read_only": .bool(readOnly),
            "args": arguments, "summary": "for tests",
        ]
        return ActionDeclaration.list([json])[0]
    }

    /// The engine's plugin has guest actions, the routes' plugin a control action, another is for another datastore.
    private func withActions(_ body: (APIFixture, String) async throws -> Void) async throws {
        try await withAPI { api in
            api.plugins.setPlugins { plugins in
                plugins[0].actions = [Self.guest, Self.look]
                plugins[1].actions = [Self.control]
                plugins.append(
                    PluginDescription(
                        id: "org.example.elsewhere", version: "1.0.0", sha256: "00", roles: ["control"],
                        provides: ["trove.actions/1"], directory: "/",
                        actions: [Self.action("elsewhere", policy: "p", [], role: "control")],
                        datastores: [PluginDatastore(name: "other", versions: nil)]))
            }
            try await body(api, try await api.insertRunning())
        }
    }

    private func perform(
        _ api: APIFixture, _ id: String, _ body: JSONValue, as token: String = "alice"
    ) async -> APIResponse {
        await api.send("POST", "/instances/\(id)/action", as: token, body: body)
    }

    @Test("a guest's action is sent with its plugin, and what it emits is the answer")
    func guestAction() async throws {
        try await withActions { (api: APIFixture, id: String) async throws -> Void in
            api.bus.onCall { topic, method, arguments throws(MessagingError) in
                ["result": ["topic": .string(topic), "method": .string(method), "sent": .object(arguments)]]
            }
            let response = await perform(api, id, ["flush_hosts": ["scope": "idle", "limit": "18446744073709551615"]])
            #expect(response.status == 200)
            #expect(
                response.json == [
                    "topic": .string("guestagent.\(id)"), "method": "plugin_action",
                    "sent": [
                        "plugin": .string(TestPlugins.engine), "action": "flush_hosts",
                        "arguments": ["scope": "idle", "limit": "18446744073709551615"],
                    ],
                ])
            api.bus.onCall { _, _, _ throws(MessagingError) in [:] }
            let empty = await perform(api, id, ["flush_hosts": ["scope": "all"]])
            #expect(empty.status == 202)
            #expect(empty.body.isEmpty)
            api.bus.onCall { _, _, _ throws(MessagingError) in ["result": .null] }
            #expect(await perform(api, id, ["look": [:]]).body == Array("null".utf8))
        }
    }

    @Test("a pinned version is the one that is asked for")
    func pinned() async throws {
        try await withActions { (api: APIFixture, _: String) async throws -> Void in
            api.plugins.setPlugins { plugins in
                var old = plugins[0]
                old.version = "1.9.0"
                old.isActive = false
                old.actions = [Self.action("old_word", policy: "instance:old", [])]
                plugins.append(old)
            }
            let pinned: JSONValue = ["datastore": .string("\(TestPlugins.engine)@1.9.0")]
            let id = try await api.insertRunning(name: "pinned") { $0.plugins = pinned }
            api.bus.onCall { _, _, arguments throws(MessagingError) in ["result": arguments["plugin"] ?? .null] }
            #expect(await perform(api, id, ["old_word": [:]]).json == .string("\(TestPlugins.engine)@1.9.0"))
            expectFault(await perform(api, id, ["look": [:]]), 400, "Invalid instance action: look")
        }
    }

    @Test("extra plugins of the version may act too")
    func extra() async throws {
        try await withActions { (api: APIFixture, _: String) async throws -> Void in
            api.plugins.setPlugins { plugins in
                plugins.append(
                    PluginDescription(
                        id: "org.example.extra", version: "3.0.0", sha256: "00", roles: ["guest"],
                        provides: ["trove.actions/1"], directory: "/", isLoaded: false,
                        actions: [Self.action("more", policy: "p", [])]))
            }
            let plain = try await api.insertRunning(name: "plain")
            expectFault(await perform(api, plain, ["more": [:]]), 400, "Invalid instance action: more")
            let id = try await api.insertRunning(name: "extra") { $0.plugins = ["extra": ["org.example.extra@3.0.0"]] }
            api.bus.onCall { _, _, arguments throws(MessagingError) in ["result": arguments["plugin"] ?? .null] }
            #expect(await perform(api, id, ["more": [:]]).json == "org.example.extra@3.0.0")
        }
    }

    @Test("a control action runs in the runner and is told the instance")
    func controlAction() async throws {
        try await withActions { (api: APIFixture, id: String) async throws -> Void in
            let response = await perform(api, id, ["count": [:]])
            #expect(response.status == 200)
            #expect(response.json == ["instance_id": .string(id)])
            let same = await perform(api, id, ["count": ["instance_id": .string(id)]])
            #expect(same.status == 200)
            expectFault(
                await perform(api, id, ["count": ["instance_id": "another"]]), 400,
                "The argument 'instance_id' is the instance of the request; leave it out.")
            expectFault(await perform(api, id, ["elsewhere": [:]]), 400, "Invalid instance action: elsewhere")
        }
    }

    @Test(
        "arguments are refused before anything is sent",
        arguments: [
            ([:], "Action 'flush_hosts': argument 'scope' is missing."),
            (["scope": "none"], "Action 'flush_hosts': argument 'scope' must be one of \"all\", \"idle\"."),
            (["scope": "all", "limit": 0], "Action 'flush_hosts': argument 'limit' must be at least 1."),
            (["scope": "all", "token": 7], "Action 'flush_hosts': argument 'token' must be text."),
            (
                ["scope": "all", "x": 1],
                "Action 'flush_hosts': argument 'x' is not one of action 'flush_hosts': it has scope,"
                    + " limit, token."
            ),
            ("all", "The arguments of the action 'flush_hosts' must be an object."),
        ] as [(JSONValue, String)])
    func arguments(_ arguments: JSONValue, _ message: String) async throws {
        try await withActions { (api: APIFixture, id: String) async throws -> Void in
            api.bus.onCall { _, _, _ throws(MessagingError) in throw MessagingError(.unavailable, "must not be asked") }
            expectFault(await perform(api, id, ["flush_hosts": arguments]), 400, message)
        }
    }

    @Test("the manifest's policy rule decides, after the instance's visibility")
    func policy() async throws {
        try await withAPI { api in
            var admins = Self.guest
            admins.policy = "instance:reset_status"
            api.plugins.setPlugins { [admins] in $0[0].actions = [admins] }
            let id = try await api.insertRunning()
            api.bus.onCall { _, _, _ throws(MessagingError) in [:] }
            let body: JSONValue = ["flush_hosts": ["scope": "all"]]
            expectFault(
                await perform(api, id, body), 403, "Policy doesn't allow instance:reset_status to be performed.")
            // Before the arguments are looked at.
            #expect(await perform(api, id, ["flush_hosts": 1]).status == 403)
            #expect(await perform(api, id, body, as: "admin").status == 202)
            expectFault(await perform(api, id, body, as: "bob"), 404, "Resource \(id) cannot be found.")
            expectFault(await perform(api, "absent", body), 404, "Resource absent cannot be found.")
        }
    }

    @Test("an instance that is busy is not acted on, but may be looked at")
    func availability() async throws {
        try await withActions { (api: APIFixture, _: String) async throws -> Void in
            let id = try await api.insertRunning(name: "busy") { $0.task = .rebooting }
            api.bus.onCall { _, _, _ throws(MessagingError) in [:] }
            #expect(await perform(api, id, ["flush_hosts": ["scope": "all"]]).status == 422)
            #expect(await perform(api, id, ["look": [:]]).status == 202)
        }
    }

    @Test(
        "statuses become what the boundary says",
        arguments: [
            ("invalid_argument", 400), ("not_found", 404), ("already_exists", 409), ("unsupported", 501),
            ("precondition_failed", 422), ("cancelled", 500), ("timed_out", 504), ("busy", 409), ("unavailable", 503),
            ("permission_denied", 403), ("exhausted", 413), ("internal", 500), ("crashed", 500),
        ] as [(String, Int)])
    func statuses(_ code: String, _ status: Int) async throws {
        try await withActions { (api: APIFixture, id: String) async throws -> Void in
            api.bus.onCall { _, _, _ throws(MessagingError) in
                ["error": ["code": .string(code), "plugin": "p", "message": "It said no.", "details": ["errno": 7]]]
            }
            let response = await perform(api, id, ["look": [:]])
            #expect(response.status == status)
            let fault = response.json.objectValue?.values.first
            #expect(fault?["message"]?.stringValue?.contains("It said no.") == true)
            #expect(fault?["details"] == ["errno": 7])
        }
    }

    @Test("a guest that cannot be reached is 503, one that does not answer 504, a quarantined plugin 503")
    func unreachable() async throws {
        try await withActions { (api: APIFixture, id: String) async throws -> Void in
            api.bus.onCall { _, _, _ throws(MessagingError) in throw MessagingError(.unavailable, "no such guest") }
            #expect(await perform(api, id, ["look": [:]]).status == 503)
            api.bus.onCall { _, _, _ throws(MessagingError) in throw MessagingError(.timedOut, "late") }
            #expect(await perform(api, id, ["look": [:]]).status == 504)
            api.plugins.setPlugins { $0[0].quarantine = "it crashes" }
            expectFault(
                await perform(api, id, ["look": [:]]), 503, "Plugin '\(TestPlugins.engine)' is not called: it crashes")
        }
    }

    @Test("what can be called is listed for the instance, and in the extensions without samples")
    func lists() async throws {
        try await withActions { (api: APIFixture, id: String) async throws -> Void in
            let list = await api.send("GET", "/instances/\(id)/actions").json["actions"]
            #expect(list?.arrayValue?.map { $0["name"] } == ["flush_hosts", "look", "count"])
            #expect(list?[0]?["plugin"] == .string(TestPlugins.engine))
            #expect(list?[0]?["args"]?[1] == Self.guest.arguments[1].json)
            expectFault(
                await api.send("GET", "/instances/\(id)/actions", as: "bob"), 404,
                "Resource \(id) cannot be found.")
            let extensions = await api.send("GET", "/extensions").json["extensions"]?.arrayValue ?? []
            let aliases = extensions.compactMap { $0["alias"]?.stringValue }
            #expect(aliases == ["org.example.elsewhere", TestPlugins.engine, TestPlugins.extensionID])
            let one = await api.send("GET", "/extensions/\(TestPlugins.engine)").json["extension"]
            #expect(one?["actions"]?[0]?["policy"] == "instance:flush_hosts")
            #expect(one?["actions"]?[0]?["samples"] == nil)
            #expect(one?["routes"] == [])
        }
    }
}
