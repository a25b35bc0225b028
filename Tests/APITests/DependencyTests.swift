// SPDX-License-Identifier: Apache-2.0

import Calls
import Identity
import Logging
import Messaging
import Model
import StateStore
import TestSupport
import Testing

@testable import API

@Suite("Requests while something that they need is away")
struct DependencyTests {
    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// An API whose bus looks for a hub on a socket that nobody listens on.
    private func withoutBus(_ body: (APIFixture) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let bus = LocalHubBus(path: directory + "/nobody.sock", name: "api", logger: Self.silent)
            var configuration = APIFixture.configuration
            configuration.busPatience = .milliseconds(300)
            let api = try APIFixture(path: directory, configuration: configuration, bus: bus)
            do {
                try await api.seed()
                try await body(api)
            } catch {
                await bus.close()
                throw error
            }
            await bus.close()
            await api.store.close()
        }
    }

    private static let create: JSONValue = [
        "instance": ["name": "db", "flavorRef": "1", "volume": ["size": 1]]
    ]

    @Test("an operation that is committed is accepted although nobody can be woken")
    func accepted() async throws {
        try await withoutBus { api in
            let start = ContinuousClock.now
            let created = await api.send("POST", "/instances", body: Self.create)
            #expect(created.status == 200)
            let id = try #require(created.json["instance"]?["id"]?.stringValue)
            let running = try await api.insertRunning()
            #expect(await api.send("DELETE", "/instances/\(running)").status == 202)
            #expect(start.duration(to: .now) < .seconds(4))
            let flows = try await api.store.read { try $0.journal.live(resourceID: nil).map(\.resourceID) }
            #expect(Set(flows) == [id, running])
        }
    }

    @Test("reads go on without the bus")
    func reads() async throws {
        try await withoutBus { api in
            let id = try await api.insertRunning()
            let start = ContinuousClock.now
            for path in ["/instances", "/instances/\(id)", "/backups", "/datastores", "/flavors", "/limits"] {
                #expect(await api.send("GET", path).status == 200, "\(path)")
            }
            #expect(start.duration(to: .now) < .seconds(1))
        }
    }

    @Test("what only the guest knows is 503 with Retry-After soon, although the verb may take minutes")
    func guest() async throws {
        try await withoutBus { api in
            let id = try await api.insertRunning()
            let context = RequestContext(requestID: "req-1")
            for verb in [GuestVerb.listDatabases, .restart] {
                let start = ContinuousClock.now
                do throws(MessagingError) {
                    _ = try await api.services.callGuest(id, verb, [:], context: context)
                    Issue.record("\(verb) was answered")
                } catch {
                    #expect(error.isBusAway)
                    let response = try #require(APIFault(error)).response
                    #expect(response.status == 503)
                    #expect(response.headers.contains { $0 == ("retry-after", "1") })
                    let plugin = try #require(APIFault(ControlService.pluginError(error))).response
                    #expect(plugin.status == 503)
                    #expect(plugin.fault.message == "The message bus cannot be reached now; please try again.")
                    #expect(plugin.headers.contains { $0 == ("retry-after", "1") })
                }
                #expect(start.duration(to: .now) < .seconds(2))
            }
        }
    }

    @Test("a call goes through once the bus is there, within the time a request waits for it")
    func back() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/bus.sock"
            let bus = LocalHubBus(path: path, name: "api", logger: Self.silent)
            let api = try APIFixture(path: directory, configuration: APIFixture.configuration, bus: bus)
            async let answer = api.services.callGuest("i", .ping, [:], context: RequestContext(requestID: "req-1"))
            try await Task.sleep(for: .milliseconds(200))
            let hub = LocalHub(path: path, logger: Self.silent)
            try hub.start()
            do {
                _ = try await answer
                Issue.record("nobody can have answered")
            } catch {
                // The guest is unknown: an answer of the bus, not silence.
                let error = try #require(error as? MessagingError)
                #expect(!error.isBusAway)
                #expect(APIFault(error)?.status == 400)
            }
            await bus.close()
            await hub.stop()
            await api.store.close()
        }
    }

    @Test("a state store that is gone is 503 with Retry-After, for reads too")
    func store() async throws {
        try await withTemporaryDirectory { directory in
            let api = try APIFixture(path: directory, configuration: APIFixture.configuration)
            try await api.seed()
            await api.store.close()
            for response in [
                await api.send("POST", "/instances", body: Self.create), await api.send("GET", "/instances"),
                await api.send("DELETE", "/instances/x"), await api.send("GET", "/datastores"),
            ] {
                #expect(response.status == 503)
                #expect(response.headers.contains { $0 == ("retry-after", "1") })
            }
        }
    }

    @Test(
        "a state store that cannot be asked now is 503 with Retry-After, for reads and writes alike",
        arguments: [StateStoreError.Code.unavailable, .busy, .full, .schema]
    )
    func failingStore(_ code: StateStoreError.Code) async throws {
        try await withAPI { working in
            let api = working.with(store: FailingStore(code))
            let id = SystemRandomSource().uuid()
            for (method, path, body) in [
                ("GET", "/instances", nil), ("GET", "/instances?limit=20", nil), ("GET", "/instances/\(id)", nil),
                ("GET", "/backups", nil), ("GET", "/datastores", nil), ("GET", "/limits", nil),
                ("POST", "/instances", Self.create), ("DELETE", "/instances/\(id)", nil),
                ("POST", "/instances/\(id)/action", ["restart": [:]]),
                ("PUT", "/instances/\(id)", ["instance": ["name": "other"]]),
                ("POST", "/backups", ["backup": ["name": "b", "instance": .string(id)]]),
                ("DELETE", "/backups/\(id)", nil),
            ] as [(String, String, JSONValue?)] {
                let response = await api.send(method, path, body: body)
                #expect(response.status == 503, "\(method) \(path)")
                #expect(response.fault.key == "serviceUnavailable")
                #expect(response.headers.contains { $0.name == "retry-after" }, "\(method) \(path)")
            }
        }
    }

    @Test(
        "an identity service that cannot be asked now is 503 with Retry-After, wherever it is needed",
        arguments: [IdentityError.Code.unavailable, .tooManyAttempts]
    )
    func failingIdentity(_ code: IdentityError.Code) async throws {
        let error = IdentityError(code, "why", retryAfter: 7)
        let fault = try #require(APIFault(error)).response
        #expect(fault.status == 503)
        #expect(fault.headers.contains { $0 == ("retry-after", "7") })
        #expect(APIFault(IdentityError(code, "why"))?.retryAfter == 1)
        #expect(APIFault(IdentityError(.unauthorized, "why")) == nil)
        try await withAPI { working in
            let api = working.with(identity: FailingIdentity(error: error))
            for (method, path) in [("GET", "/instances"), ("DELETE", "/instances/x"), ("GET", "/nothing")] {
                let response = await api.send(method, path)
                #expect(response.status == 503)
                #expect(response.headers.contains { $0 == ("retry-after", "7") })
                #expect(response.header("www-authenticate") == nil)
            }
        }
    }

    @Test("a client without a token is sent to the identity service that there is, and a service's token is looked at")
    func identityHeaders() async throws {
        try await withAPI { working in
            let api = working.with(identity: DistantIdentity())
            let path = "/v1.0/\(TestIdentity.projects["alice"] ?? "")/flavors"
            let response = await api.raw("GET", path)
            #expect(response.status == 401)
            #expect(response.header("www-authenticate") == "Keystone uri=\"https://identity.example:5000\"")
            #expect(await api.send("GET", "/flavors").status == 401)
            #expect(await api.send("GET", "/flavors", headers: [("x-service-token", "service")]).status == 200)
        }
    }

    @Test("an identity service that does not answer is 503 with Retry-After, never 401")
    func identity() async throws {
        try await withAPI { api in
            let response = await api.send("GET", "/instances", as: "later")
            #expect(response.status == 503)
            #expect(response.headers.contains { $0 == ("retry-after", "1") })
        }
    }
}

/// An identity service that fails every question in one way.
private struct FailingIdentity: IdentityService {
    let error: IdentityError

    func validate(_ token: String) async throws(IdentityError) -> AuthenticatedIdentity { throw error }

    func handle(_ request: IdentityRequest) async -> IdentityResponse { IdentityResponse(status: 503) }
}

/// An identity service elsewhere, which lets in whoever a service vouches for.
private struct DistantIdentity: IdentityService {
    let authenticationURL: String? = "https://identity.example:5000"

    func validate(_ token: String) async throws(IdentityError) -> AuthenticatedIdentity {
        throw IdentityError(.unauthorized, "expired")
    }

    func validate(
        _ token: String, serviceToken: String?
    ) async throws(IdentityError) -> AuthenticatedIdentity {
        guard serviceToken == "service" else { return try await validate(token) }
        return try await TestIdentity().validate(token)
    }

    func handle(_ request: IdentityRequest) async -> IdentityResponse { IdentityResponse(status: 404) }
}
