// SPDX-License-Identifier: Apache-2.0

import Glibc
import StateStore
import Synchronization

/// Answers `/healthcheck`, by which load balancers decide where requests go.
///
/// 200 `OK`, or 503 with the reason: an operator's file, a stop that has begun, a state store that does not answer.
/// However often it is asked, the state store is asked once a second. Source: REST contract §2.
final class HealthCheck: Sendable {
    private struct State {
        var isDraining = false
        var isStoreUp = true
        /// When `isStoreUp` was found out.
        var checked: ContinuousClock.Instant?
        var isChecking = false
    }

    private static let maximumAge = Duration.seconds(1)
    /// A load balancer waits no longer either.
    private static let patience = Duration.seconds(2)

    private let store: any StateStore
    private let disablingFile: String?
    private let state = Mutex(State())

    init(store: any StateStore, disablingFile: String?) {
        self.store = store
        self.disablingFile = disablingFile
    }

    func beginDrain() { state.withLock { $0.isDraining = true } }

    func response() async -> APIResponse {
        if let disablingFile, access(disablingFile, F_OK) == 0 { return Self.answer("DISABLED BY FILE") }
        if state.withLock({ $0.isDraining }) { return Self.answer("DRAINING") }
        return await isStoreUp() ? Self.answer("OK") : Self.answer("STATE STORE UNAVAILABLE")
    }

    private static func answer(_ text: String) -> APIResponse {
        var response = APIResponse(status: text == "OK" ? 200 : 503, body: Array(text.utf8))
        response.contentType = "text/plain"
        return response
    }

    private func isStoreUp() async -> Bool {
        let known: Bool? = state.withLock { state in
            if let checked = state.checked, checked.duration(to: .now) < Self.maximumAge { return state.isStoreUp }
            // Another request asks already: what it finds counts from then on.
            if state.isChecking { return state.isStoreUp }
            state.isChecking = true
            return nil
        }
        if let known { return known }
        // The first of the two; a store that never answers costs one waiting read, not one a request.
        let (answers, answer) = AsyncStream.makeStream(of: Bool.self)
        Task { [self] in
            let isUp = (try? await store.read { _ = try $0.now }) != nil
            record(isUp, isDone: true)
            answer.yield(isUp)
        }
        let timer = Task { [self] in
            try await Task.sleep(for: Self.patience)
            record(false, isDone: false)
            answer.yield(false)
        }
        defer { timer.cancel() }
        for await isUp in answers { return isUp }
        return false
    }

    private func record(_ isUp: Bool, isDone: Bool) {
        state.withLock { state in
            state.isStoreUp = isUp
            state.checked = .now
            if isDone { state.isChecking = false }
        }
    }
}
