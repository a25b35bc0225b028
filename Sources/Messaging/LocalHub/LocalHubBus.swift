// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Model
import Synchronization

/// A client of the local hub.
///
/// One connection and one thread, whatever is called and served. The connection is made at once and made again for ever, after
/// 10 ms to 1 s; queues and consumers are declared again, what the hub had not confirmed is sent again, and calls in progress
/// keep waiting. `close()` ends the thread.
package final class LocalHubBus: MessageBus {
    /// Time limits and the number of handlers.
    package struct Options: Sendable {
        /// Handlers that run at once, per server.
        package var concurrency: Int
        /// How long a cast waits for a bus that is away.
        package var patience: Duration
        /// How long `close()` lets handlers finish.
        package var drain: Duration

        package init(
            concurrency: Int = 64, patience: Duration = .seconds(10), drain: Duration = .seconds(10)
        ) {
            self.concurrency = concurrency
            self.patience = patience
            self.drain = drain
        }
    }

    let path: String
    let name: String
    let logger: Logger
    let options: Options
    let random: any RandomSource
    let replyQueue: String
    let clientMeters = RPCMeters(side: "client")
    let serverMeters = RPCMeters(side: "server")
    let state = Mutex(BusState())
    let wake: WakeSignal?
    let end = Latch()

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - path: Of the hub's socket, at most 107 bytes; a longer one makes every request fail with a sentence that says so.
    ///   - name: Of this client, for the hub's log.
    package init(
        path: String, name: String, logger: Logger, options: Options = Options(),
        random: any RandomSource = SystemRandomSource()
    ) {
        self.path = path
        self.name = name
        self.logger = logger
        self.options = options
        self.random = random
        replyQueue = HubName.reply(random.bytes(16).hex)
        wake = WakeSignal()
        if (try? UnixSocket.check(path)) == nil || wake == nil || ServiceThread.start("bus-\(name)", runLink) != 0 {
            _ = state.withLock { $0.close() }
            end.open()
        }
    }

    package var isConnected: Bool { state.withLock { $0.link != nil } }

    package func call(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext,
        timeout: Duration, version: String
    ) async throws(MessagingError) -> JSONValue {
        let start = ContinuousClock.now
        let messageID = random.bytes(16).hex
        let message = RequestMessage(
            method: method, arguments: arguments, version: version, context: context,
            uniqueID: random.bytes(16).hex, messageID: messageID, replyQueue: replyQueue
        )
        let result = await submitCall(messageID, message, topic: topic, timeout: timeout)
        record(method, result, start)
        return try result.get()
    }

    package func cast(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) {
        try await publishCast(HubName.exchange, topic, method, arguments, context, version)
    }

    package func castToAll(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) {
        try await publishCast(HubName.fanout(topic), "", method, arguments, context, version)
    }

    package func notify(
        _ topic: String, priority: String, message: [String: JSONValue]
    ) async throws(MessagingError) {
        let body = NotificationMessage.body(message, uniqueID: random.bytes(16).hex)
        let queue = NotificationMessage.queue(topic, priority)
        try await submit(within: options.patience) { number in
            [.publish(number: number, expires: 0, exchange: HubName.notifications, key: queue, body: body)]
        }.get()
    }

    private func publishCast(
        _ exchange: String, _ key: String, _ method: String, _ arguments: [String: JSONValue],
        _ context: RequestContext, _ version: String
    ) async throws(MessagingError) {
        let start = ContinuousClock.now
        let message = RequestMessage(
            method: method, arguments: arguments, version: version, context: context, uniqueID: random.bytes(16).hex
        )
        let result = await submit(within: options.patience) { number in
            [.publish(number: number, expires: 0, exchange: exchange, key: key, body: message.body)]
        }
        record(method, result, start)
        try result.get()
    }

    package func declare(topic: String, server: String) async throws(MessagingError) {
        let queues = [topic, HubName.server(topic, server)]
        state.withLock { $0.declared.formUnion(queues) }
        let result = await submit(within: options.patience) { number in
            queues.map { .declare(number: $0 == topic ? 0 : number, queue: $0, fanout: "", isTransient: false) }
        }
        if case .failure = result { state.withLock { $0.declared.subtract(queues) } }
        try result.get()
    }

    package func forget(topic: String, server: String) async throws(MessagingError) {
        let queues = [topic, HubName.server(topic, server)]
        state.withLock { $0.declared.subtract(queues) }
        try await submit(within: options.patience) { number in
            queues.map { .delete(number: $0 == topic ? 0 : number, queue: $0) }
        }.get()
    }

    private func record<Value>(
        _ method: String, _ result: Result<Value, MessagingError>, _ start: ContinuousClock.Instant
    ) {
        let outcome =
            switch result {
            case .success: "ok"
            case .failure(let error): error.code.description
            }
        clientMeters.record(method: method, outcome: outcome, duration: .now - start)
    }
}
