// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Logging
package import Model
import Synchronization

/// A client of a RabbitMQ broker, on the wire as the rabbit driver of oslo.messaging.
///
/// Two connections with a thread each, whatever is called and served: one writes and learns that the broker has what was
/// written, the other reads requests and replies; it is made when there is something to read. Both are made again for ever,
/// with one of the addresses after the other; exchanges, queues and consumers are declared again under the same names, what
/// the broker had not confirmed is sent again under the same unique id, and calls in progress keep waiting. `close()` ends both.
package final class RabbitBus: MessageBus {
    /// Time limits and the number of handlers.
    package struct Options: Sendable {
        /// Handlers that run at once, per server.
        package var concurrency: Int
        /// Requests that may wait in this process, per queue; the broker keeps the rest for whoever is free.
        package var prefetch: Int
        /// How long a cast waits for a bus that is away.
        package var patience: Duration
        /// How long `close()` lets handlers finish.
        package var drain: Duration

        package init(
            concurrency: Int = 64, prefetch: Int = 64, patience: Duration = .seconds(10), drain: Duration = .seconds(10)
        ) {
            self.concurrency = concurrency
            self.prefetch = max(1, prefetch)
            self.patience = patience
            self.drain = drain
        }
    }

    /// Bytes that a message may have.
    package static let maximumBytes = 16 << 20
    /// How many unique ids are remembered where repeating a message must not be of use to anybody.
    static let sealedDuplicates = 4096

    let configuration: RabbitConfiguration
    let topology: RabbitTopology
    let name: String
    let logger: Logger
    let options: Options
    let random: any RandomSource
    let keyring: (any RPCKeyring)?
    let replyQueue: String
    let clientMeters = RPCMeters(side: "client")
    let serverMeters = RPCMeters(side: "server")
    let state = Mutex(RabbitState())
    let gone = Mutex(GoneQueues())
    let publisherWake: WakeSignal?
    private let consumerWake: WakeSignal?
    /// nil once it has ended.
    private let publisher = Mutex<RabbitPublisher?>(nil)
    let ends = [Latch(), Latch()]

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - name: Of this client, for the broker's list of connections.
    ///   - keyring: Which requests are sealed, and with which key; nil for none.
    package init(
        _ configuration: RabbitConfiguration, name: String, logger: Logger, options: Options = Options(),
        keyring: (any RPCKeyring)? = nil, random: any RandomSource = SystemRandomSource()
    ) {
        self.configuration = configuration
        topology = RabbitTopology(configuration: configuration)
        self.name = name
        self.logger = logger
        self.options = options
        self.keyring = keyring
        self.random = random
        replyQueue = "\(configuration.replyPrefix)reply_\(random.bytes(16).hex)"
        (publisherWake, consumerWake) = (WakeSignal(), WakeSignal())
        guard publisherWake != nil, let consumerWake else {
            fail()
            return
        }
        let (writing, reading) = (ends[0], ends[1])
        let publisher = RabbitPublisher(self)
        self.publisher.withLock { $0 = publisher }
        let isWriting = ServiceThread.start("bus-out") { [self] in
            publisher.run()
            self.publisher.withLock { $0 = nil }
            writing.open()
        }
        let isReading = ServiceThread.start("bus-in") { [self] in
            RabbitConsumer(self, wake: consumerWake).run()
            reading.open()
        }
        if isWriting != 0 { writing.open() }
        if isReading != 0 { reading.open() }
        if isWriting != 0 || isReading != 0 { fail() }
    }

    private func fail() {
        _ = state.withLock { $0.close() }
        wakeThreads()
        if publisherWake == nil || consumerWake == nil { for end in ends { end.open() } }
    }

    /// The broker's addresses, for error messages.
    var place: String { configuration.url.addresses.map(\.description).joined(separator: ", ") }

    /// What the broker shows of the connections.
    var connectionName: String { "trove \(name):\(getpid())" }

    var isClosed: Bool { state.withLock { $0.phase == .closed } }

    func wakeThreads() {
        publisherWake?.raise()
        consumerWake?.raise()
    }

    /// Has what is ready written.
    func wakePublisher() {
        guard publisher.withLock({ $0 })?.writeNow() != true else { return }
        publisherWake?.raise()
    }

    func wakeConsumer() { consumerWake?.raise() }

    func register(_ descriptor: Int32) { state.withLock { _ = $0.descriptors.insert(descriptor) } }

    func unregister(_ descriptor: Int32) { state.withLock { _ = $0.descriptors.remove(descriptor) } }

    func takeReply(_ body: [UInt8]) {
        do throws(MessagingError) {
            let reply = try ReplyMessage(body: body)
            state.withLock { $0.take(reply) }?.resume()
        } catch {
            logger.warning("reply dropped", metadata: ["error.message": "\(error.message)"])
        }
    }

    package var isConnected: Bool { state.withLock { $0.isConnected } }

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
        try await publishCast(topic, method, arguments, context, version) { body, deadline, waiter in
            let message = RabbitMessage(exchange: topology.requestExchange, key: topic, body: body)
            return RabbitState.Item(message: message, unroutable: .settle, deadline: deadline, completion: waiter)
        }
    }

    package func castToAll(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) {
        try await publishCast(topic, method, arguments, context, version) { body, deadline, waiter in
            // The exchange goes with the last queue bound to it, so it is declared each time.
            let exchange = topology.fanoutExchange(topic)
            let message = RabbitMessage(exchange: exchange, key: "", body: body, isMandatory: false)
            return RabbitState.Item(
                steps: [topology.fanoutExchangeStep(topic)], isPreparedAnew: true, message: message,
                deadline: deadline, completion: waiter)
        }
    }

    package func notify(
        _ topic: String, priority: String, message: [String: JSONValue]
    ) async throws(MessagingError) {
        let body = NotificationMessage.body(message, uniqueID: random.bytes(16).hex)
        let queue = NotificationMessage.queue(topic, priority)
        try await submit(within: options.patience, bytes: body.count) { [topology] deadline, waiter in
            RabbitState.Item(
                steps: topology.notificationQueue(queue),
                message: RabbitMessage(exchange: topology.exchange, key: queue, body: body), unroutable: .prepare,
                deadline: deadline, completion: waiter)
        }.get()
    }

    private func publishCast(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], _ context: RequestContext,
        _ version: String, _ item: ([UInt8], ContinuousClock.Instant, RabbitState.Completion) -> RabbitState.Item
    ) async throws(MessagingError) {
        let start = ContinuousClock.now
        let message = RequestMessage(
            method: method, arguments: arguments, version: version, context: context, uniqueID: random.bytes(16).hex
        )
        let result: Result<Void, MessagingError>
        do throws(MessagingError) {
            let body = try await sealed(message, topic).body
            result = await submit(within: options.patience, bytes: body.count) { item(body, $0, $1) }
        } catch {
            result = .failure(error)
        }
        record(method, result, start)
        try result.get()
    }

    /// The body of a request, and what its result is sealed with.
    func sealed(
        _ message: RequestMessage, _ topic: String
    ) async throws(MessagingError) -> (body: [UInt8], key: RPCKey?) {
        guard let keyring else { return (message.body, nil) }
        return try await keyring.seal(message, topic: topic)
    }

    package func declare(topic: String, server: String) async throws(MessagingError) {
        let names = [topic, server]
        state.withLock { state in
            if !state.declared.contains(names) { state.declared.append(names) }
        }
        let result = await submit(within: options.patience, bytes: 0) { [topology] deadline, waiter in
            RabbitState.Item(
                steps: topology.requestQueues(topic, server), isPreparedAnew: true, deadline: deadline,
                completion: waiter)
        }
        if case .failure = result { state.withLock { $0.declared.removeAll { $0 == names } } }
        try result.get()
    }

    package func forget(topic: String, server: String) async throws(MessagingError) {
        state.withLock { $0.declared.removeAll { $0 == [topic, server] } }
        try await submit(within: options.patience, bytes: 0) { [topology] deadline, waiter in
            RabbitState.Item(
                steps: [.deleteQueue(topic), .deleteQueue(topology.serverQueue(topic, server))],
                isPreparedAnew: true, deadline: deadline, completion: waiter)
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
