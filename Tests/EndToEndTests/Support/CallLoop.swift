// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Synchronization

/// Calls the API without a pause until it is ended, and keeps what was not answered as it should be.
final class CallLoop: Sendable {
    private struct State {
        var calls = 0
        var slowest = (seconds: 0.0, call: "none")
        var failures: [String] = []
        var isEnding = false
    }

    private let state = Mutex(State())
    private let tasks = Mutex<[Task<Void, Never>]>([])
    private let began = ContinuousClock.now

    var calls: Int { state.withLock { $0.calls } }
    /// The call whose answer took longest.
    var slowest: String {
        state.withLock { String(format: "%.2f s, ", $0.slowest.seconds) + $0.slowest.call }
    }
    var failures: [String] { state.withLock { $0.failures } }

    /// - Parameters:
    ///   - instance: One that is read and renamed.
    ///   - keptConnections: How many callers keep their connection; as many others make a new one for each call.
    init(_ client: PlainClient, instance: String, keptConnections: Int) {
        for number in 0..<(2 * keptConnections) {
            let connection = number % 2 == 0 ? KeptConnection(port: client.port) : nil
            let task = Task { await self.run(client, instance, number, connection) }
            tasks.withLock { $0.append(task) }
        }
    }

    private func run(_ client: PlainClient, _ instance: String, _ number: Int, _ connection: KeptConnection?) async {
        var turn = number
        while !state.withLock({ $0.isEnding }) {
            turn += 1
            switch turn % 3 {
            case 0: await call(client, "GET", "/instances", nil, connection)
            case 1: await call(client, "GET", "/instances/\(instance)", nil, connection)
            default:
                let body: JSONValue = ["instance": ["name": .string("name-\(turn)")]]
                await call(client, "PUT", "/instances/\(instance)", body, connection)
            }
        }
    }

    private func call(
        _ client: PlainClient, _ method: String, _ path: String, _ body: JSONValue?, _ connection: KeptConnection?
    ) async {
        let kind = connection == nil ? "new connection" : "kept connection"
        var failure: String?
        var seconds = 0.0
        do {
            let answer = try await client.call(method, path, body, over: connection)
            seconds = answer.seconds
            if !(200..<300).contains(answer.status) { failure = "\(kind): \(method) \(path): \(answer)" }
        } catch {
            failure = "\(kind): \(method) \(path): \(error)"
        }
        state.withLock { [failure] state in
            state.calls += 1
            if seconds > state.slowest.seconds {
                state.slowest = (seconds, "\(kind): \(method), \(Int(began.secondsToNow)) s after the first")
            }
            if let failure { state.failures.append(failure) }
        }
        // Other work of the host goes on beside it.
        try? await Task.sleep(for: .milliseconds(20))
    }

    /// Lets the calls under way be answered and ends.
    func end() async {
        state.withLock { $0.isEnding = true }
        for task in tasks.withLock({ $0 }) { await task.value }
    }
}
