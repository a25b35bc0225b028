// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import API

@Suite("Health check")
struct HealthCheckTests {
    /// A state store that says nothing until it is told to.
    private final class SilentStore: StateStore {
        private let state = Mutex((reads: 0, waiting: [CheckedContinuation<Void, Never>]()))
        var reads: Int { state.withLock { $0.reads } }

        func read<Value: Sendable>(
            _ body: @Sendable @escaping (any StateTransaction) throws -> Value
        ) async throws -> Value {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    state.reads += 1
                    state.waiting.append(continuation)
                }
            }
            throw StateStoreError(.unavailable, "gone")
        }

        func write<Value: Sendable>(
            _ durability: Durability, _ body: @Sendable @escaping (any StateTransaction) throws -> Value
        ) async throws -> Value { try await read(body) }

        func close() async {
            for continuation in state.withLock({ $0.waiting }) { continuation.resume() }
        }
    }

    private func text(_ response: APIResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test("OK while it serves, 503 once it drains, as text")
    func draining() async throws {
        try await withAPI { api in
            let good = await api.raw("GET", "/healthcheck")
            #expect(good.status == 200)
            #expect(good.contentType == "text/plain")
            #expect(text(good) == "OK")
            api.responder.beginDrain()
            let bad = await api.raw("GET", "/healthcheck")
            #expect(bad.status == 503)
            #expect(text(bad) == "DRAINING")
        }
    }

    @Test("503 while an operator's file is there")
    func file() async throws {
        try await withTemporaryDirectory { directory in
            var configuration = APIFixture.configuration
            configuration.healthDisablingFile = directory + "/away"
            try await withAPI(configuration) { api in
                #expect(await api.raw("GET", "/healthcheck").status == 200)
                try Data().write(to: URL(fileURLWithPath: directory + "/away"))
                let response = await api.raw("GET", "/healthcheck")
                #expect(response.status == 503)
                #expect(text(response) == "DISABLED BY FILE")
            }
        }
    }

    @Test("503 without a state store")
    func store() async throws {
        try await withAPI { api in
            await api.store.close()
            let response = await api.raw("GET", "/healthcheck")
            #expect(response.status == 503)
            #expect(text(response) == "STATE STORE UNAVAILABLE")
        }
    }

    @Test("a state store that does not answer is asked once, and holds nobody up")
    func silentStore() async throws {
        let store = SilentStore()
        let health = HealthCheck(store: store, disablingFile: nil)
        let start = ContinuousClock.now
        #expect(await health.response().status == 503)
        for _ in 0..<20 { #expect(await health.response().status == 503) }
        try await Task.sleep(for: .milliseconds(1100))
        #expect(await health.response().status == 503)
        #expect(start.duration(to: .now) < .seconds(8))
        #expect(store.reads == 1)
        await store.close()
    }
}
