// SPDX-License-Identifier: Apache-2.0

import Logging
import Messaging
import Model
import Notifications
import PluginHost
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import API

@Suite("Notifications of the API")
struct NotificationTests {
    private static let password = "s3cret-pa55word"

    /// Keeps what it is given.
    private final class Recorder: NotificationDriver {
        private let held = Mutex<[NotificationMessage]>([])
        var sent: [NotificationMessage] { held.withLock { $0 } }
        func send(_ message: NotificationMessage) async throws(MessagingError) { held.withLock { $0.append(message) } }
    }

    /// An API that tells.
    private struct Telling {
        let api: APIFixture
        let notifier: Notifier
        let recorder = Recorder()
        private let responder: APIResponder

        init(_ api: APIFixture, usesOutbox: Bool = false) {
            self.api = api
            notifier = Notifier(
                NotificationConfiguration(driver: .messaging, host: "api-1"), driver: recorder, usesOutbox: usesOutbox,
                logger: api.services.logger, clock: api.clock)
            let services = api.services
            responder = APIResponder(
                APIServices(
                    configuration: services.configuration, store: services.store, identity: services.identity,
                    plugins: services.plugins, guests: services.guests, taskManager: services.taskManager,
                    clock: services.clock, random: services.random, policy: services.policy, notifier: notifier,
                    logger: services.logger))
        }

        func send(_ method: String, _ path: String, as token: String = "alice", _ body: JSONValue? = nil) async -> Int {
            var headers = [("x-auth-token", token)]
            if body != nil { headers.append(("content-type", "application/json")) }
            return await responder.respond(
                to: APIRequest(
                    method: method, target: "/v1.0/\(TestIdentity.projects[token] ?? "none")\(path)", headers: headers,
                    host: "10.0.0.1:8779", clientAddress: "10.0.0.9", body: body.map { .bytes($0.serialized) } ?? .none)
            ).status
        }

        /// What was told, once nothing waits.
        func told() async -> [NotificationMessage] {
            await notifier.finish(within: .seconds(10))
            return recorder.sent
        }
    }

    private func withTelling(
        usesOutbox: Bool = false, _ body: (APIFixture, Telling) async throws -> Void
    ) async throws {
        try await withAPI { api in try await body(api, Telling(api, usesOutbox: usesOutbox)) }
    }

    private func journal(_ api: APIFixture) async throws -> [JournalRecord] {
        try await api.store.read { try $0.journal.live(resourceID: nil) }
    }

    @Test("a create tells its start, for the end to go on from, without passwords")
    func create() async throws {
        try await withTelling { api, telling in
            let body: JSONValue = [
                "instance": [
                    "name": "db1", "flavorRef": "1", "volume": ["size": 2], "databases": [["name": "shop"]],
                    "users": [["name": "ann", "password": .string(Self.password), "databases": [["name": "shop"]]]],
                ]
            ]
            #expect(await telling.send("POST", "/instances", body) == 200)
            let told = await telling.told()
            #expect(told.map(\.eventType) == ["dbaas.instance_create.start"])
            let start = try #require(told.first)
            #expect(start.publisherID == "api.api-1")
            var payload = start.payload
            #expect(payload.removeValue(forKey: "request_id") == .string(start.context.requestID))
            #expect(
                payload == [
                    "name": "db1", "flavor_id": "1", "datastore": "mariadb", "datastore_version": "11.4",
                    "image_id": .null, "availability_zone": .null, "region_name": "RegionOne", "volume_size": 2,
                    "databases": [["name": "shop"]], "users": [["name": "ann", "databases": [["name": "shop"]]]],
                    "tenant_id": .string(TestIdentity.projects["alice"] ?? ""), "client_ip": "10.0.0.9",
                    "server_ip": "10.0.0.1:8779", "server_type": "api",
                ])
            #expect(!JSONValue.object(start.members).text.contains(Self.password))
            let row = try #require(try await journal(api).first)
            #expect(row.input["notification"] == .object(start.payload.filter { $0.key != "server_type" }))
        }
    }

    @Test("what is accepted is told once, in the transaction that accepts it")
    func accepted() async throws {
        try await withTelling(usesOutbox: true) { api, telling in
            let id = try await api.insertRunning()
            let other = try await api.insertRunning()
            let backup = try await api.insertBackup(instance: id)
            #expect(await telling.send("POST", "/instances/\(id)/action", ["restart": [:]]) == 202)
            let reset = await telling.send("POST", "/instances/\(id)/action", as: "admin", ["reset_status": [:]])
            #expect(reset == 202)
            #expect(await telling.send("DELETE", "/instances/\(id)") == 202)
            #expect(await telling.send("DELETE", "/instances/\(id)") == 202, "the second changes nothing")
            let request: JSONValue = ["backup": ["name": "b", "instance": .string(other)]]
            #expect(await telling.send("POST", "/backups", request) == 202)
            #expect(await telling.send("DELETE", "/backups/\(backup)") == 202)
            #expect(await telling.told().isEmpty, "nothing is sent before the relay does")
            try await OutboxSender(notifier: telling.notifier, store: api.store, logger: api.services.logger).sendAll()
            #expect(
                Set(telling.recorder.sent.map(\.eventType)) == [
                    "dbaas.instance_restart.start", "dbaas.instance_reset_status.start",
                    "dbaas.instance_reset_status.end", "dbaas.instance_delete.start", "dbaas.backup_create.start",
                    "dbaas.backup_delete.start",
                ])
            #expect(telling.recorder.sent.count == 6)
            let made = telling.recorder.sent.first { $0.eventType == "dbaas.backup_create.start" }?.payload
            #expect(made?["instance_id"] == .string(other))
            #expect(made?["description"] == .null)
            #expect(made?["parent_id"] == .null)
        }
    }

    @Test("what is refused starts and fails; what the caller may not see is not told")
    func refused() async throws {
        try await withTelling { api, telling in
            let id = try await api.insertRunning { $0.task = .rebooting }
            #expect(await telling.send("POST", "/instances/\(id)/action", as: "bob", ["restart": [:]]) == 404)
            #expect(await telling.told().isEmpty)
            #expect(await telling.send("POST", "/instances/\(id)/action", ["restart": [:]]) == 422)
            let told = await telling.told()
            #expect(told.map(\.eventType) == ["dbaas.instance_restart.start", "dbaas.instance_restart.error"])
            let text = told.last?.payload["message"]?.stringValue ?? ""
            #expect(text.contains("task status was REBOOTING"))
            #expect(told.last?.payload["exception"] == [.string("unprocessableEntity: \(text)\n")])
            #expect(try await journal(api).isEmpty)
        }
    }

    private static let verbs: [(verb: String, arguments: JSONValue, event: String, traits: [String: JSONValue])] = [
        ("create_database", ["databases": [["_name": "a"], ["_name": "b"]]], "database_create", ["dbname": "a,b"]),
        ("delete_database", ["database": ["_name": "a"]], "database_delete", ["dbname": "a"]),
        (
            "create_user", ["users": [["_name": "ann", "_password": .string(password)]]], "user_create",
            ["username": "ann"]
        ),
        ("delete_user", ["user": ["_name": "ann", "_host": "%"]], "user_delete", ["username": "ann"]),
        (
            "change_passwords", ["users": [["name": "ann", "host": "%", "password": .string(password)]]],
            "user_change_password", ["username": "ann"]
        ),
        (
            "update_attributes",
            ["username": "ann", "hostname": "%", "user_attrs": ["password": .string(password)]],
            "user_update_attributes", ["username": "ann"]
        ),
        (
            "grant_access", ["username": "ann", "hostname": "%", "databases": ["a", "b"]], "user_grant",
            ["username": "ann", "database": ["a", "b"]]
        ),
        (
            "revoke_access", ["username": "ann", "hostname": "%", "database": "a"], "user_revoke",
            ["username": "ann", "database": ["a"]]
        ),
        ("enable_root_with_password", ["root_password": .string(password)], "root_enable", [:]),
        ("disable_root", [:], "root_disable", [:]),
    ]

    @Test("a verb that changes something on a guest starts and ends, told by names alone", arguments: verbs.indices)
    func guestVerbs(_ index: Int) async throws {
        let (verb, arguments, event, traits) = Self.verbs[index]
        try await withTelling { api, telling in
            let id = try await api.insertRunning()
            api.plugins.setRoutes([("POST", "/things")])
            api.plugins.onRoute { _, _, control, context throws(PluginError) in
                let request: JSONValue = ["instance_id": .string(id), "verb": .string(verb), "arguments": arguments]
                _ = try await control.perform("guest.call", request, context: context)
                return ["status": 202]
            }
            #expect(await telling.send("POST", "/things", [:]) == 202)
            let told = await telling.told()
            #expect(told.map(\.eventType) == ["dbaas.\(event).start", "dbaas.\(event).end"])
            for message in told {
                #expect(!JSONValue.object(message.members).text.contains(Self.password))
                #expect(message.payload["client_ip"] == "10.0.0.9")
                #expect(message.payload["instance_id"] == .string(id))
                for (name, value) in traits { #expect(message.payload[name] == value) }
            }
        }
    }

    @Test("a guest that fails ends a verb with an error; one that only reads is not told")
    func guestFails() async throws {
        try await withTelling { api, telling in
            let id = try await api.insertRunning()
            api.bus.onCall { _, method, _ throws(MessagingError) in
                if method == "list_users" { return [] }
                throw MessagingError(.timedOut, "nobody answered")
            }
            api.plugins.setRoutes([("POST", "/things")])
            api.plugins.onRoute { _, _, control, context throws(PluginError) in
                for (verb, arguments) in [("list_users", [:]), ("enable_root", [:])] as [(String, JSONValue)] {
                    let request: JSONValue = [
                        "instance_id": .string(id), "verb": .string(verb), "arguments": arguments,
                    ]
                    _ = try await control.perform("guest.call", request, context: context)
                }
                return ["status": 202]
            }
            #expect(await telling.send("POST", "/things", [:]) >= 400)
            #expect(await telling.told().map(\.eventType) == ["dbaas.root_enable.start", "dbaas.root_enable.error"])
        }
    }
}
