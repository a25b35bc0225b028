// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import PluginHost
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import API

@Suite("Idempotency-Key")
struct IdempotencyTests {
    private static func header(_ key: String) -> [(name: String, value: String)] { [("idempotency-key", key)] }

    private func create(
        _ api: APIFixture, _ key: String, name: String = "db", as token: String = "alice"
    ) async -> APIResponse {
        await api.send(
            "POST", "/instances", as: token, body: CreateInstanceTests.body(["name": .string(name)]),
            headers: Self.header(key))
    }

    @Test(
        "a create that is sent again, through another API process, is answered as before and makes nothing",
        arguments: SharedState.allCases)
    func replay(state: SharedState) async throws {
        try await withTwoAPIs(state) { first, second in
            let answer = await create(first, "key 1")
            #expect(answer.status == 200 && answer.header("idempotency-replayed") == nil)
            for api in [second, first] {
                let again = await create(api, "key 1")
                #expect(again.status == 200 && again.body == answer.body)
                #expect(again.header("idempotency-replayed") == "true")
                #expect(again.header("x-openstack-request-id") != answer.header("x-openstack-request-id"))
            }
            let count = try await first.count()
            #expect(count.instances == 1)
        }
    }

    @Test(
        "of many that send one request at once one is done, the others are told to ask again",
        arguments: SharedState.allCases)
    func race(state: SharedState) async throws {
        try await withTwoAPIs(state) { first, second in
            let answers = await withTaskGroup(of: APIResponse.self) { group in
                for number in 0..<20 {
                    group.addTask { await create(number % 2 == 0 ? first : second, "race") }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 200 && $0.header("idempotency-replayed") == nil } == 1)
            for answer in answers where answer.status != 200 {
                expectFault(
                    answer, 409, "The first request with the Idempotency-Key 'race' is still running; please try again."
                )
                #expect(answer.header("retry-after") == "1")
            }
            #expect(await create(second, "race").header("idempotency-replayed") == "true")
            let count = try await first.count()
            #expect(count.instances == 1)
        }
    }

    @Test("another body, query or user under a key is 422; another project's or path's key is another key")
    func scope() async throws {
        try await withAPI { api in
            #expect(await create(api, "k").status == 200)
            let sentence = "The Idempotency-Key 'k' was used for another request; each request needs a key of its own."
            expectFault(await create(api, "k", name: "other"), 422, sentence)
            expectFault(
                await api.send(
                    "POST", "/instances?a=b", body: CreateInstanceTests.body(["name": "db"]),
                    headers: Self.header("k")), 422, sentence)
            let bobs = await create(api, "k", as: "bob")
            #expect(bobs.status == 200 && bobs.header("idempotency-replayed") == nil)
            let id = try await api.insertRunning()
            let restart = await api.send(
                "POST", "/instances/\(id)/action", body: ["restart": [:]], headers: Self.header("k"))
            #expect(restart.status == 202 && restart.body.isEmpty)
            let again = await api.send(
                "POST", "/instances/\(id)/action", body: ["restart": [:]], headers: Self.header("k"))
            #expect(again.status == 202 && again.body.isEmpty && again.header("idempotency-replayed") == "true")
            let other = try await api.insertRunning()
            let another = await api.send(
                "POST", "/instances/\(other)/action", body: ["restart": [:]], headers: Self.header("k"))
            #expect(another.status == 202 && another.header("idempotency-replayed") == nil)
        }
    }

    @Test("what cannot be a key is 400", arguments: ["", "tab\tkey", "k\u{e9}y", String(repeating: "k", count: 256)])
    func malformed(key: String) async throws {
        try await withAPI { api in
            expectFault(
                await create(api, key), 400,
                "The Idempotency-Key header must be 1 to 255 printable ASCII characters.")
            let count = try await api.count()
            #expect(count.instances == 0)
            #expect(await create(api, String(repeating: "~", count: 255)).status == 200)
            let twice = await api.send(
                "POST", "/instances", body: CreateInstanceTests.body(),
                headers: Self.header("a") + Self.header("b"))
            #expect(twice.status == 400)
        }
    }

    @Test("refusals that are about the request are kept; those that may pass, and failures, are not")
    func kept() async throws {
        var configuration = APIFixture.configuration
        configuration.quotas.instances = 0
        try await withAPI(configuration) { api in
            #expect(await create(api, "full").status == 413)
            let path = "/mgmt/quotas/\(TestIdentity.projects["alice"] ?? "")"
            #expect(await api.send("PUT", path, as: "admin", body: ["quotas": ["instances": 5]]).status == 200)
            #expect(await create(api, "full").status == 200)
            let missing = {
                await api.send("POST", "/instances/none/action", body: ["restart": [:]], headers: Self.header("m"))
            }
            #expect(await missing().status == 404)
            let again = await missing()
            #expect(again.status == 404 && again.header("idempotency-replayed") == "true")
            api.plugins.onPolicy { _, _ throws(PluginError) in throw PluginError(.crashed, pluginID: "p", "gone") }
            #expect(await create(api, "crash").status == 500)
            api.plugins.onPolicy { _, _ throws(PluginError) in [:] }
            let later = await create(api, "crash")
            #expect(later.status == 200 && later.header("idempotency-replayed") == nil)
            let bad = { (body: JSONValue) in await api.send("POST", "/instances", body: body, headers: Self.header("b"))
            }
            #expect(await bad([:]).status == 400)
            #expect(await bad([:]).header("idempotency-replayed") == "true")
        }
    }

    @Test("routes and actions of plugins are done once too, and no answer lies in the database in the clear")
    func plugins() async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("POST", "/instances/{id}/root")])
            let calls = Mutex(0)
            api.plugins.onRoute { _, _, _, _ throws(PluginError) in
                let number = calls.withLock { count in
                    count += 1
                    return count
                }
                return ["status": 200, "body": ["user": ["name": "root", "password": .string("s3cret-\(number)")]]]
            }
            let enable = { await api.send("POST", "/instances/i/root", headers: Self.header("root-key")) }
            let first = await enable()
            #expect(first.json["user"]?["password"] == "s3cret-1")
            let again = await enable()
            #expect(again.body == first.body && again.header("idempotency-replayed") == "true")
            #expect(calls.withLock { $0 } == 1)
            let store = try api.counting()
            let columns = try await store.texts(
                "SELECT id || tenant_id || route || request_digest || answer || owner FROM idempotency_keys")
            #expect(columns.count == 1)
            for secret in ["s3cret", "root-key", "password"] {
                #expect(!columns[0].contains(secret), "\(secret) is in the clear")
            }
            // Neither in Base64 alone.
            #expect(!columns[0].contains("InBhc3N3b3JkI"))
        }
    }

    @Test(
        "a process that ends before its route changed anything frees the key in time; one that changed something does not"
    )
    func crash() async throws {
        try await withAPI { api in
            let key = { (name: String) -> IdempotencyClaim in
                IdempotencyClaim(
                    id: name, projectID: "p", path: "/x", requestDigest: "d",
                    owner: "req-" + name + "\(api.clock.now.microseconds)",
                    lease: .seconds(260), keptFor: IdempotentRequests.keptFor)
            }
            let claim = { (claim: IdempotencyClaim) in
                try await api.store.write(.relaxed) { try $0.idempotencyKeys.claim(claim) }
            }
            let (idle, busy) = (key("idle"), key("busy"))
            #expect(try await claim(idle) == .claimed)
            #expect(try await claim(busy) == .claimed)
            try await api.store.write(.relaxed) { try $0.idempotencyKeys.accept(id: busy.id, owner: busy.owner) }
            api.clock.advance(by: .seconds(259))
            #expect(try await claim(key("idle")) == .running)
            api.clock.advance(by: .seconds(1))
            #expect(try await claim(key("idle")) == .claimed)
            #expect(try await claim(key("busy")) == .answerLost)
            // The first one wakes up and wants to change something after all.
            await #expect(throws: StateStoreError.self) {
                try await api.store.write(.relaxed) { try $0.idempotencyKeys.accept(id: idle.id, owner: idle.owner) }
            }
        }
    }

    @Test("a commit whose fate nobody knows is not made again")
    func lost() async throws {
        try await withAPI { api in
            let store = ForgetfulStore(api.store)
            let forgetful = api.with(store: store)
            store.forgetDurable.withLock { $0 = true }
            #expect(await create(forgetful, "doubt").status == 503)
            store.forgetDurable.withLock { $0 = false }
            let again = await create(forgetful, "doubt")
            #expect(again.status == 409 && again.fault.message.contains("'doubt' was accepted, but its answer is lost"))
            let count = try await api.count()
            #expect(count.instances == 1)
        }
    }

    @Test("an answer that was sealed under another passphrase is lost, and is not done again")
    func passphrase() async throws {
        var configuration = APIFixture.configuration
        configuration.answerPassphrase = Secret("of today")
        let (today, tomorrow) = (configuration, Secret("of tomorrow"))
        try await withTwoAPIs(.sqlite, today) { first, second in
            let answer = await create(first, "sealed")
            #expect(await create(second, "sealed").body == answer.body)
            var changed = today
            changed.answerPassphrase = tomorrow
            let third = APIFixture(store: second.store, configuration: changed, clock: second.clock)
            let again = await create(third, "sealed")
            #expect(again.status == 409 && again.fault.message.contains("its answer is lost"))
            let count = try await first.count()
            #expect(count.instances == 1)
        }
    }

    @Test("a box opens with its passphrase alone, and not when it was changed")
    func box() throws {
        let box = try TextBox(passphrase: Secret("a"))
        for bytes in [[], [1, 2, 3], [UInt8](repeating: 7, count: 100_000)] as [[UInt8]] {
            let sealed = try box.seal(bytes)
            #expect(try box.open(sealed) == bytes)
            #expect(try box.seal(bytes) != sealed)
            let other = try TextBox(passphrase: Secret("b"))
            #expect(throws: MessagingError.self) { try other.open(sealed) }
            var changed = Array(sealed.utf8)
            changed[30] = changed[30] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(throws: MessagingError.self) { try box.open(String(decoding: changed, as: UTF8.self)) }
        }
    }

    @Test("an answer is kept for a day")
    func expiry() async throws {
        try await withAPI { api in
            #expect(await create(api, "day").status == 200)
            api.clock.advance(by: .seconds(24 * 3600 - 1))
            #expect(await create(api, "day").header("idempotency-replayed") == "true")
            api.clock.advance(by: .seconds(1))
            let later = await create(api, "day", name: "other")
            #expect(later.status == 200 && later.header("idempotency-replayed") == nil)
            let count = try await api.count()
            #expect(count.instances == 2)
        }
    }

    @Test("a request without the header, and one that is not POST, cost no more statements")
    func statements() async throws {
        try await withAPI { api in
            let store = try api.counting()
            let counted = api.with(store: store)
            _ = await counted.send("POST", "/instances", body: CreateInstanceTests.body())
            let plain = store.take()
            _ = await counted.send("POST", "/instances", body: CreateInstanceTests.body(), headers: Self.header("s"))
            #expect(store.take() == plain + 4, "claim: two, accept and finish: one each")
            _ = await counted.send("POST", "/instances", body: CreateInstanceTests.body(), headers: Self.header("s"))
            #expect(store.take() == 1)
            _ = await counted.send("GET", "/instances", headers: Self.header("s"))
            #expect(store.take() == 1)
        }
    }
}

/// A store whose durable commits succeed without anybody hearing of it.
private final class ForgetfulStore: StateStore {
    private let store: any StateStore
    let forgetDurable = Mutex(false)

    init(_ store: any StateStore) { self.store = store }

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value { try await store.read(body) }

    func write<Value: Sendable>(
        _ durability: Durability, _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        let value = try await store.write(durability, body)
        if durability == .durable, forgetDurable.withLock({ $0 }) { throw StateStoreError(.unavailable, "lost") }
        return value
    }

    func close() async { await store.close() }
}
