// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import Synchronization

/// A bus that serves nobody, and keeps what is sent to all.
final class CountingBus: MessageBus {
    private let sent = Mutex<[String]>([])

    /// Method and instance, in order.
    var casts: [String] { sent.withLock { $0 } }

    func call(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, timeout: Duration,
        version: String
    ) async throws(MessagingError) -> JSONValue { .null }
    func cast(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) {}
    func castToAll(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) {
        sent.withLock { $0.append("\(method) \(arguments["instance_id"]?.stringValue ?? "")") }
    }
    func notify(
        _ topic: String, priority: String, message: [String: JSONValue]
    ) async throws(MessagingError) {}
    func serve(topic: String, server: String, endpoint: any RPCEndpoint) async throws(MessagingError) {}
    func declare(topic: String, server: String) async throws(MessagingError) {}
    func forget(topic: String, server: String) async throws(MessagingError) {}
    func close() async {}
}
