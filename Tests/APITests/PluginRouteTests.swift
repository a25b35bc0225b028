// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import PluginHost
import StateStore
import TestSupport
import Testing

@testable import API

@Suite("Routes of plugins")
struct PluginRouteTests {
    private let alice = TestIdentity.projects["alice"] ?? ""

    @Test("the plugin gets the request's document, decoded")
    func document() async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("PUT", "/instances/{id}/users/{name}")])
            let response = await api.send(
                "PUT", "/instances/i1/users/b%2eob%40%25?a=1&b=x+y", body: ["user": ["name": "x"]])
            #expect(response.status == 200)
            var json = response.json.objectValue ?? [:]
            let requestID = json.removeValue(forKey: "request_id")
            #expect(requestID?.stringValue == response.header("x-openstack-request-id"))
            #expect(
                JSONValue.object(json) == [
                    "method": "PUT", "path": "/instances/i1/users/b%2eob%40%25",
                    "route": "/instances/{id}/users/{name}", "parameters": ["id": "i1", "name": "b.ob@%"],
                    "query": ["a": "1", "b": "x y"], "body": ["user": ["name": "x"]],
                    "project_id": .string(alice), "user_id": "user-alice", "is_admin": false,
                    "base_url": .string("http://127.0.0.1:8779/v1.0/\(alice)"),
                ]
            )
        }
    }

    @Test(
        "names with dots and slashes arrive whole; only a bare .json is a format",
        arguments: [
            ("f@10.0.0.1", "f@10.0.0.1"), ("a%2Fb", "a/b"), ("x.json", "x"), ("x%2ejson", "x.json"), ("%252e", "%2e"),
            ("%2e%2e", ".."),
        ]
    )
    func names(_ sent: String, _ name: String) async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("GET", "/instances/{id}/users/{name}")])
            let response = await api.send("GET", "/instances/i1/users/\(sent)")
            #expect(response.json["parameters"]?["name"] == .string(name))
        }
    }

    @Test("an answer without a body is empty; a body is optional for the request too")
    func empty() async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("POST", "/instances/{id}/root")])
            api.plugins.onRoute { _, request, _, _ throws(PluginError) in
                ["status": request["body"] == .null ? 202 : 200]
            }
            let response = await api.send("POST", "/instances/i1/root")
            #expect(response.status == 202)
            #expect(response.body.isEmpty)
            #expect(response.contentType == "application/json")
            #expect(await api.send("POST", "/instances/i1/root", body: [:]).status == 200)
        }
    }

    @Test("a plugin's failure is a fault with its sentence; verbs it lacks are 404")
    func failures() async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("GET", "/things/{id}")])
            api.plugins.onRoute { _, _, _, _ throws(PluginError) in
                throw PluginError(.preconditionFailed, pluginID: "p", "Instance x is not ready.")
            }
            expectFault(await api.send("GET", "/things/1"), 422, "Instance x is not ready.")
            expectFault(await api.send("POST", "/things/1"), 404, "The resource could not be found.")
            api.plugins.setRoutes([])
            expectFault(await api.send("GET", "/things/1"), 404, "The resource could not be found.")
        }
    }

    @Test("a route that clashes with the core is not mounted, and named at load")
    func clash() async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("GET", "/instances/{x}"), ("GET", "/things")])
            #expect(
                await api.responder.mountPluginRoutes() == [
                    "Route 'GET /instances/{x}' of plugin 'org.example.routes' clashes with the core route"
                        + " 'GET /instances/{id}'."
                ]
            )
            #expect(await api.send("GET", "/things").status == 200)
            expectFault(await api.send("GET", "/instances/x"), 404, "Resource x cannot be found.")
        }
    }

    @Test("control operations act as the caller")
    func control() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let control = ControlService(api.services)
            func context(_ token: String) -> RequestContext {
                RequestContext(
                    requestID: "req-1", userID: token, projectID: TestIdentity.projects[token] ?? "",
                    isAdmin: token == "admin")
            }
            let request: JSONValue = ["instance_id": .string(id)]
            for token in ["alice", "admin"] {
                #expect(
                    try await control.perform("instance.get", request, context: context(token)) == [
                        "instance_id": .string(id), "project_id": .string(alice), "status": "ACTIVE",
                        "service_status": "healthy", "is_running": true, "datastore": "mariadb", "version": "11.4",
                    ]
                )
            }
            for operation in ["instance.get", "guest.call", "root_history.get"] {
                let foreign: JSONValue = ["instance_id": .string(id), "verb": "list_users"]
                let error = await #expect(throws: PluginError.self) {
                    _ = try await control.perform(operation, foreign, context: context("bob"))
                }
                #expect(error?.code == .notFound)
                #expect(error?.message == "Resource \(id) cannot be found.")
            }
            let history = try await control.perform("root_history.get", request, context: context("alice"))
            #expect(history == ["enabled": false])
            try await api.store.write(.relaxed) { [now = api.clock.now] transaction in
                try transaction.rootHistory.record(instanceID: id, userID: "u", now: now)
            }
            let later = try await control.perform("root_history.get", request, context: context("alice"))
            #expect(later == ["enabled": true])
            let unknown = await #expect(throws: PluginError.self) {
                _ = try await control.perform("instance.delete", request, context: context("admin"))
            }
            #expect(unknown?.code == .unsupported)
        }
    }

    @Test("routes may send database, user and root verbs, and nothing else")
    func verbs() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let control = ControlService(api.services)
            let context = RequestContext(requestID: "req-1", userID: "u", projectID: alice)
            api.bus.onCall { topic, method, arguments throws(MessagingError) in
                ["topic": .string(topic), "method": .string(method), "arguments": .object(arguments)]
            }
            let reply = try await control.perform(
                "guest.call",
                ["instance_id": .string(id), "verb": "delete_user", "arguments": ["user": ["_name": "bob"]]],
                context: context
            )
            #expect(reply["topic"] == .string("guestagent.\(id)"))
            #expect(reply["arguments"] == ["user": ["_name": "bob"]])
            for verb in ["prepare", "stop_db", "create_backup", "frob", ""] {
                let error = await #expect(throws: PluginError.self) {
                    _ = try await control.perform(
                        "guest.call", ["instance_id": .string(id), "verb": .string(verb)], context: context)
                }
                #expect(error?.code == .permissionDenied)
            }
            for verb in ControlService.verbs { #expect(verb.contains("_")) }
        }
    }

    @Test("a guest that fails, or that nothing reached, is an error with the contract's sentence")
    func guestErrors() async throws {
        let remote = RPCFailure(className: "RuntimeError", module: "builtins", message: "engine away")
        let unknown = RPCFailure(className: "UserNotFound", module: "m", message: "User bob cannot be found.")
        let prefix = "An error occurred communicating with the guest: "
        let rows: [(MessagingError, PluginError.Code, String, Int)] = [
            (MessagingError(.timedOut, "t"), .timedOut, "Timeout trying to connect to the Guest Agent.", 400),
            (MessagingError(.unavailable, "no such queue"), .unavailable, prefix + "no such queue.", 400),
            (MessagingError(.remote, "r", failure: remote), .unavailable, prefix + "engine away.", 400),
            (MessagingError(.remote, "r", failure: unknown), .notFound, "User bob cannot be found.", 404),
        ]
        for (error, code, message, status) in rows {
            let mapped = ControlService.pluginError(error)
            #expect(mapped.code == code)
            #expect(mapped.message == message)
            #expect(APIFault(mapped)?.status == status)
            #expect(APIFault(mapped)?.message == message)
        }
        try await withAPI { api in
            let id = try await api.insertRunning()
            api.plugins.setRoutes([("DELETE", "/instances/{id}/users/{name}")])
            api.plugins.onRoute { _, request, control, context throws(PluginError) in
                let call: JSONValue = [
                    "instance_id": request["parameters"]?["id"] ?? .null, "verb": "delete_user",
                    "arguments": ["user": ["_name": request["parameters"]?["name"] ?? .null]],
                ]
                _ = try await control.perform("guest.call", call, context: context)
                return ["status": 202]
            }
            #expect(await api.send("DELETE", "/instances/\(id)/users/bob").status == 202)
            api.bus.onCall { _, _, _ throws(MessagingError) in throw MessagingError(.timedOut, "no reply") }
            expectFault(
                await api.send("DELETE", "/instances/\(id)/users/bob"), 400,
                "Timeout trying to connect to the Guest Agent.")
        }
    }
}
