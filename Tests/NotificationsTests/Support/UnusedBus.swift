// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model

/// A bus that nothing is sent on.
struct UnusedBus: MessageBus {
    private let error = MessagingError(.unavailable, "no bus in this test")

    func call(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, timeout: Duration,
        version: String
    ) async throws(MessagingError) -> JSONValue { throw error }
    func cast(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) { throw error }
    func castToAll(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) { throw error }
    func notify(_ topic: String, priority: String, message: [String: JSONValue]) async throws(MessagingError) {
        throw error
    }
    func serve(topic: String, server: String, endpoint: any RPCEndpoint) async throws(MessagingError) { throw error }
    func declare(topic: String, server: String) async throws(MessagingError) { throw error }
    func forget(topic: String, server: String) async throws(MessagingError) { throw error }
    func close() async {}
}
