// SPDX-License-Identifier: Apache-2.0

import Logging
import Messaging
import Model
import Synchronization
import TestSupport
import Testing

/// An endpoint made of a closure.
struct ClosureEndpoint: RPCEndpoint {
    var implementedVersion = "1.3"
    let body: @Sendable (RPCRequest) async throws -> JSONValue

    init(version: String = "1.3", _ body: @escaping @Sendable (RPCRequest) async throws -> JSONValue) {
        implementedVersion = version
        self.body = body
    }

    func handle(_ request: RPCRequest) async throws -> JSONValue { try await body(request) }
}

/// Values that tasks append and a test reads.
final class Recorder<Value: Sendable>: Sendable {
    private struct State {
        var values: [Value] = []
        var waiters: [(count: Int, CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())

    var values: [Value] { state.withLock { $0.values } }

    func append(_ value: Value) {
        let ready = state.withLock { state in
            state.values.append(value)
            let ready = state.waiters.filter { $0.count <= state.values.count }
            state.waiters.removeAll { $0.count <= state.values.count }
            return ready
        }
        for waiter in ready { waiter.1.resume() }
    }

    /// Waits until so many values are there; the suite's time limit ends a wait that never does.
    func wait(for count: Int) async -> [Value] {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.values.count >= count { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
        return values
    }
}

/// A hub, and clients that are closed with it.
final class HubFixture: Sendable {
    let path: String
    private let hub: Mutex<LocalHub?>
    private let clients = Mutex<[LocalHubBus]>([])
    private let limits: HubLimits

    init(path: String, limits: HubLimits) throws {
        self.path = path
        self.limits = limits
        let hub = LocalHub(path: path, logger: .quiet, limits: limits)
        try hub.start()
        self.hub = Mutex(hub)
    }

    func client(_ name: String, _ options: LocalHubBus.Options = .init(drain: .seconds(2))) -> LocalHubBus {
        let bus = LocalHubBus(path: path, name: name, logger: .quiet, options: options)
        clients.withLock { $0.append(bus) }
        return bus
    }

    func stopHub() async {
        await hub.withLock { hub in
            defer { hub = nil }
            return hub
        }?.stop()
    }

    func startHub() throws {
        let fresh = LocalHub(path: path, logger: .quiet, limits: limits)
        try fresh.start()
        hub.withLock { $0 = fresh }
    }

    func tearDown() async {
        for client in clients.withLock({ $0 }) { await client.close() }
        await stopHub()
    }
}

/// Runs a test with a hub on a socket of its own. `settling` is zero unless the test is about it.
func withHub(
    _ limits: HubLimits = HubLimits(settling: .zero), _ body: (HubFixture) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        let fixture = try HubFixture(path: directory + "/bus.sock", limits: limits)
        do {
            try await body(fixture)
        } catch {
            await fixture.tearDown()
            throw error
        }
        await fixture.tearDown()
    }
}

extension Logger {
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension RequestContext {
    static let test = RequestContext(
        requestID: "req-1", userID: "u1", userName: "una", projectID: "p1", roles: ["member"], isAdmin: true
    )
}

extension RPCClient {
    /// A call with the values that most tests do not care about.
    func ask(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue] = [:], timeout: Duration = .seconds(10),
        version: String = "1.0"
    ) async throws(MessagingError) -> JSONValue {
        try await call(topic, method, arguments, context: .test, timeout: timeout, version: version)
    }

    func tell(_ topic: String, _ method: String, _ arguments: [String: JSONValue] = [:]) async throws(MessagingError) {
        try await cast(topic, method, arguments, context: .test, version: "1.0")
    }
}
