// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Synchronization

/// Counts and times of requests, by method.
///
/// - `trove_rpc_<side>_requests_total` {`method`, `outcome`}: `outcome` is `ok`, an error code, or `failed`
/// - `trove_rpc_<side>_seconds` {`method`}
///
/// `side` is `client` or `server`. At most 64 methods are told apart, the rest counts as `other`.
final class RPCMeters: Sendable {
    private static let maximumMethods = 64
    private let side: String
    private struct Key: Hashable {
        var method: String
        var outcome: String
    }
    private struct State {
        var methods: Set<String> = []
        var counters: [Key: Counter] = [:]
        var timers: [String: CoreMetrics.Timer] = [:]
    }
    private let state = Mutex(State())

    init(side: String) { self.side = side }

    func record(method: String, outcome: String, duration: Duration) {
        let (requests, times) = state.withLock { state -> (Counter, CoreMetrics.Timer) in
            let method = Self.label(method, &state)
            return (counter(Key(method: method, outcome: outcome), &state), timer(method, &state))
        }
        requests.increment()
        let (seconds, attoseconds) = duration.components
        times.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    private static func label(_ method: String, _ state: inout State) -> String {
        if state.methods.contains(method) { return method }
        guard state.methods.count < maximumMethods else { return "other" }
        state.methods.insert(method)
        return method
    }

    private func counter(_ key: Key, _ state: inout State) -> Counter {
        if let counter = state.counters[key] { return counter }
        let counter = Counter(
            label: "trove_rpc_\(side)_requests_total",
            dimensions: [("method", key.method), ("outcome", key.outcome)]
        )
        state.counters[key] = counter
        return counter
    }

    private func timer(_ method: String, _ state: inout State) -> CoreMetrics.Timer {
        if let timer = state.timers[method] { return timer }
        let timer = CoreMetrics.Timer(label: "trove_rpc_\(side)_seconds", dimensions: [("method", method)])
        state.timers[method] = timer
        return timer
    }
}
