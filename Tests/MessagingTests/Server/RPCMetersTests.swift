// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import MetricsTestKit
import Testing

@testable import Messaging

@Suite("RPCMeters")
struct RPCMetersTests {
    private func count(_ metrics: TestMetrics, _ side: String, _ method: String, _ outcome: String) throws -> Int64 {
        try metrics.expectCounter(
            "trove_rpc_\(side)_requests_total", [("method", method), ("outcome", outcome)]
        ).totalValue
    }

    @Test("requests are counted by method and outcome, and timed by method")
    func record() throws {
        let metrics = TestMetrics()
        withMetricsFactory(metrics) {
            let meters = RPCMeters(side: "client")
            meters.record(method: "m", outcome: "ok", duration: .milliseconds(5))
            meters.record(method: "m", outcome: "ok", duration: .milliseconds(7))
            meters.record(method: "m", outcome: "timedOut", duration: .seconds(1))
        }
        #expect(try count(metrics, "client", "m", "ok") == 2)
        #expect(try count(metrics, "client", "m", "timedOut") == 1)
        let timer = try metrics.expectTimer("trove_rpc_client_seconds", [("method", "m")])
        #expect(timer.values == [5_000_000, 7_000_000, 1_000_000_000])
    }

    @Test("names beyond the first sixty-four count as one")
    func bounded() throws {
        let metrics = TestMetrics()
        withMetricsFactory(metrics) {
            let meters = RPCMeters(side: "server")
            for number in 0..<100 { meters.record(method: "m\(number)", outcome: "ok", duration: .zero) }
        }
        #expect(try count(metrics, "server", "m63", "ok") == 1)
        #expect(try count(metrics, "server", "other", "ok") == 36)
        #expect(throws: (any Error).self) { try count(metrics, "server", "m64", "ok") }
    }
}
