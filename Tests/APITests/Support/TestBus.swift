// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import Synchronization

/// A bus end that remembers casts and answers calls as a test says.
final class TestBus: RPCClient {
    typealias Answer = @Sendable (String, String, [String: JSONValue]) throws(MessagingError) -> JSONValue

    private struct State {
        var casts: [String] = []
        var answer: Answer = { _, _, _ throws(MessagingError) in .null }
    }

    private let state = Mutex(State())

    /// Methods cast so far.
    var casts: [String] { state.withLock(\.casts) }

    func onCall(_ answer: @escaping Answer) { state.withLock { $0.answer = answer } }

    func call(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext,
        timeout: Duration, version: String
    ) async throws(MessagingError) -> JSONValue {
        try state.withLock(\.answer)(topic, method, arguments)
    }

    func cast(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) {
        state.withLock { $0.casts.append(method) }
    }
}
