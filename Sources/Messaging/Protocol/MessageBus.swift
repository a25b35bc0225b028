// SPDX-License-Identifier: Apache-2.0

package import Model

/// The sending half of the bus.
package protocol RPCClient: Sendable {
    /// Whether the bus is there now, as far as this end knows. What is sent while it is not waits for it.
    var isConnected: Bool { get }

    /// Sends a request and waits for its result.
    ///
    /// - Parameters:
    ///   - topic: Queue of the servers of a kind, `T`, or of one server, `T.S`.
    ///   - timeout: How long the caller waits; a request that nobody took by then is dropped.
    /// - Throws: `timedOut`; `unavailable` when nobody ever declared the topic, its queue is full or the bus is away for
    ///   the whole time; `noSuchMethod`, `unsupportedVersion`, `remote` with the peer's failure; `badMessage`; `cancelled`.
    func call(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, timeout: Duration,
        version: String
    ) async throws(MessagingError) -> JSONValue

    /// Sends a request without waiting for it to be done; returns once the bus has taken it.
    ///
    /// Waits up to ten seconds for a bus that is away.
    ///
    /// - Throws: `unavailable` as for `call`, `badMessage`, `cancelled`.
    func cast(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError)
}

extension RPCClient {
    /// An end that reaches its peers without a bus always does.
    package var isConnected: Bool { true }
}

/// The whole bus: sending, serving, notifying and the queues of others.
package protocol MessageBus: RPCClient {
    /// Sends a request to every server of a topic that is up now.
    ///
    /// - Throws: As `cast`; that there is no server is no error.
    func castToAll(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError)

    /// Puts a notification into the queue `<topic>.<priority in lower case>`, which is made with it, whoever reads it.
    ///
    /// - Parameters:
    ///   - priority: Such as `info`; in whatever case.
    ///   - message: The whole message; `_unique_id` is added unless it is there.
    /// - Throws: `unavailable` when the bus is away for ten seconds; `badMessage`, `cancelled`.
    func notify(_ topic: String, priority: String, message: [String: JSONValue]) async throws(MessagingError)

    /// Begins to serve a topic.
    ///
    /// Returns once the bus delivers to `endpoint` (it does not block until the end); from then on requests are handled in
    /// the background until `close()`, across any number of reconnects. Without a bus it returns after ten seconds, and
    /// serving begins when the bus is there.
    ///
    /// - Throws: `unavailable` after `close()`; `badMessage` when this bus object serves that topic and server already.
    func serve(topic: String, server: String, endpoint: any RPCEndpoint) async throws(MessagingError)

    /// Makes the queues of a server that is not up yet, so that casts wait for it. Idempotent.
    func declare(topic: String, server: String) async throws(MessagingError)

    /// Removes the queues of a server that will not come back, with what is in them. Idempotent.
    func forget(topic: String, server: String) async throws(MessagingError)

    /// Stops taking requests, lets running ones finish up to the drain time, then disconnects. Calls still waiting fail.
    func close() async
}
