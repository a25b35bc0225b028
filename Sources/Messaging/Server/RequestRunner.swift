// SPDX-License-Identifier: Apache-2.0

import Logging
import Model

/// Runs the requests of one server, whatever transport brings them.
struct RequestRunner: Sendable {
    let endpoint: any RPCEndpoint
    let topic: String
    var duplicates = DuplicateFilter()
    let meters: RPCMeters
    let random: any RandomSource
    let logger: Logger
    /// Opens sealed requests; nil where none come.
    var keyring: (any RPCKeyring)?

    /// What became of a reply.
    enum Delivery: Sendable {
        case delivered, undeliverable
        /// It has so many bytes.
        case tooLarge(Int)
    }

    enum ReplyKind: Sendable {
        /// What its caller waits for.
        case answer
        /// That somebody still works on it; whether it gets there says whether anybody waits.
        case sign
    }

    /// Publishes a body to a reply queue; a body that is made again has another `_unique_id`.
    typealias Reply =
        @Sendable (
            _ queue: String, _ kind: ReplyKind, _ body: @escaping @Sendable () -> [UInt8]
        ) async -> Delivery

    /// A request that was read.
    struct Incoming: Sendable {
        var message: RequestMessage
        /// What its result is sealed with.
        var key: RPCKey?
    }

    /// Reads what needs no keys; nil, and a warning, for what cannot be read.
    func readPlain(_ body: [UInt8]) -> Incoming? {
        do throws(MessagingError) {
            return Incoming(message: try RequestMessage(body: body, requestID: random.requestID()))
        } catch {
            warn(error)
            return nil
        }
    }

    /// Reads a request; nil, and a warning, for what cannot be read.
    func read(_ body: [UInt8]) async -> Incoming? {
        guard let keyring else { return readPlain(body) }
        do throws(MessagingError) {
            let (message, key) = try await keyring.open(body, topic: topic, requestID: random.requestID())
            return Incoming(message: message, key: key)
        } catch {
            warn(error)
            return nil
        }
    }

    private func warn(_ error: MessagingError) {
        logger.warning(
            "message dropped",
            metadata: ["queue.name": "\(topic)", "error.code": "\(error.code)", "error.message": "\(error.message)"]
        )
    }

    /// Reads, performs and answers a delivery.
    func run(_ delivery: HandlerPool.Delivery, reply: @escaping Reply) async {
        switch delivery.content {
        case .body(let body): await run(body, deadline: delivery.deadline, reply: reply)
        case .request(let incoming): await run(incoming, deadline: delivery.deadline, reply: reply)
        }
    }

    /// Reads, performs and answers one request.
    func run(_ body: [UInt8], deadline: Deadline?, reply: @escaping Reply) async {
        guard let incoming = await read(body) else { return }
        await run(incoming, deadline: deadline, reply: reply)
    }

    /// Performs and answers one request.
    ///
    /// - Parameters:
    ///   - deadline: When the caller gives up, as far as the bus knows.
    ///   - reply: How answers leave.
    func run(_ incoming: Incoming, deadline: Deadline?, reply: @escaping Reply) async {
        let message = incoming.message
        if let id = message.uniqueID, !duplicates.admits(id) {
            // A bus that lost its connection repeats itself; who repeats what was sealed for somebody else may be anybody.
            logger.log(
                level: keyring == nil ? .debug : .warning, "repeated message dropped", metadata: metadata(message))
            return
        }
        let start = ContinuousClock.now
        let content = await performWithSignsOfLife(message, deadline: deadline, reply: reply)
        meters.record(method: label(message, content), outcome: outcome(content), duration: .now - start)
        guard let messageID = message.messageID else { return logFailure(content, of: message) }
        guard let queue = message.replyQueue else { return }
        let answer = ReplyMessage(messageID: messageID, content: content)
        await send(sealed(answer, incoming.key), to: queue, for: message, reply: reply)
    }

    private func sealed(_ answer: ReplyMessage, _ key: RPCKey?) -> ReplyMessage {
        guard let key else { return answer }
        do throws(MessagingError) {
            return try answer.sealed(with: key)
        } catch {
            return ReplyMessage(messageID: answer.messageID, content: .malformed(error.message))
        }
    }

    private func send(
        _ answer: ReplyMessage, to queue: String, for message: RequestMessage, reply: @escaping Reply
    ) async {
        let random = random
        switch await reply(queue, .answer, { answer.body(uniqueID: random.bytes(16).hex) }) {
        case .delivered: break
        case .undeliverable: logger.info("reply could not be delivered", metadata: metadata(message))
        case .tooLarge(let count):
            let failure = RPCFailure(
                className: "RuntimeError", module: "builtins",
                message: "the result of \(message.method) has \(count) bytes, more than the bus carries"
            )
            let excuse = ReplyMessage(messageID: answer.messageID, content: .failure(failure))
            _ = await reply(queue, .answer) { excuse.body(uniqueID: random.bytes(16).hex) }
        }
    }

    private func performWithSignsOfLife(
        _ message: RequestMessage, deadline: Deadline?, reply: @escaping Reply
    ) async -> ReplyMessage.Content {
        guard let seconds = message.monitorSeconds, seconds >= 2, let messageID = message.messageID,
            let queue = message.replyQueue
        else { return await perform(message, deadline: deadline) }
        return await withTaskGroup(of: ReplyMessage.Content?.self) { group in
            group.addTask { await perform(message, deadline: deadline) }
            group.addTask {
                let sign = ReplyMessage(messageID: messageID, content: .result(.null), isEnding: false)
                let random = random
                let pause = Duration.milliseconds(min(seconds, 86_400) * 500)
                while (try? await Task.sleep(for: pause)) != nil {
                    let delivery = await reply(queue, .sign) { sign.body(uniqueID: random.bytes(16).hex) }
                    guard case .delivered = delivery else { break }
                }
                return nil
            }
            for await content in group {
                guard let content else { continue }
                group.cancelAll()
                return content
            }
            return .result(.null)
        }
    }

    private func perform(_ message: RequestMessage, deadline: Deadline?) async -> ReplyMessage.Content {
        do {
            if let fault = message.fault { throw fault }
            guard !message.method.hasPrefix("_") else { throw RPCFault.noSuchMethod(message.method) }
            guard let implemented = RPCVersion(endpoint.implementedVersion), let asked = RPCVersion(message.version),
                implemented.accepts(asked)
            else { throw RPCFault.unsupportedVersion(message.version, method: message.method) }
            let request = RPCRequest(
                method: message.method, version: message.version, arguments: message.arguments,
                context: message.context, isCall: message.messageID != nil, deadline: deadline
            )
            return .result(try await endpoint.handle(request))
        } catch let fault as RPCFault {
            return .failure(RPCFailure(fault))
        } catch {
            return .failure(
                RPCFailure(className: "RuntimeError", module: "builtins", message: Self.sentence(error, message.method))
            )
        }
    }

    /// What a caller may read of an error that its thrower did not translate: its own description if it has one.
    private static func sentence(_ error: any Error, _ method: String) -> String {
        switch error {
        case is CancellationError: "\(method) was stopped because the server is closing"
        case let described as any CustomStringConvertible: described.description
        default: "\(method) failed with \(type(of: error))"
        }
    }

    private func outcome(_ content: ReplyMessage.Content) -> String {
        switch content {
        case .result: "ok"
        case .failure(let failure): failure.error(method: "").code.description == "remote" ? "failed" : "refused"
        case .malformed: "failed"
        }
    }

    /// The method, unless it is one that a caller made up.
    private func label(_ message: RequestMessage, _ content: ReplyMessage.Content) -> String {
        outcome(content) == "refused" ? "unknown" : message.method
    }

    private func logFailure(_ content: ReplyMessage.Content, of message: RequestMessage) {
        guard case .failure(let failure) = content else { return }
        var metadata = metadata(message)
        metadata["error.code"] = "\(failure.className)"
        metadata["error.message"] = "\(failure.message)"
        logger.warning("cast failed", metadata: metadata)
    }

    private func metadata(_ message: RequestMessage) -> Logger.Metadata {
        [
            "queue.name": "\(topic)", "rpc.method": "\(message.method)", "request.id": "\(message.context.requestID)",
        ]
    }
}
