// SPDX-License-Identifier: Apache-2.0

import Logging
import Model

/// Runs the requests of one server, whatever transport brings them.
struct RequestRunner: Sendable {
    let endpoint: any RPCEndpoint
    let topic: String
    let duplicates = DuplicateFilter()
    let meters: RPCMeters
    let random: any RandomSource
    let logger: Logger

    /// What became of a reply.
    enum Delivery: Sendable { case delivered, undeliverable, tooLarge }

    /// Publishes a body to a reply queue.
    typealias Reply = @Sendable (_ queue: String, _ body: [UInt8]) async -> Delivery

    /// Reads, performs and answers one request.
    ///
    /// - Parameters:
    ///   - body: As delivered.
    ///   - deadline: When the caller gives up, as far as the bus knows.
    ///   - reply: How answers leave.
    func run(_ body: [UInt8], deadline: Deadline?, reply: @escaping Reply) async {
        let message: RequestMessage
        do throws(MessagingError) {
            message = try RequestMessage(body: body, requestID: random.requestID())
        } catch {
            logger.warning(
                "message dropped",
                metadata: [
                    "queue.name": "\(topic)", "error.code": "\(error.code)", "error.message": "\(error.message)",
                ]
            )
            return
        }
        if let id = message.uniqueID, !duplicates.admits(id) {
            logger.debug("repeated message dropped", metadata: metadata(message))
            return
        }
        let start = ContinuousClock.now
        let content = await performWithSignsOfLife(message, deadline: deadline, reply: reply)
        meters.record(method: label(message, content), outcome: outcome(content), duration: .now - start)
        guard let messageID = message.messageID else { return logFailure(content, of: message) }
        guard let queue = message.replyQueue else { return }
        await send(ReplyMessage(messageID: messageID, content: content), to: queue, for: message, reply: reply)
    }

    private func send(
        _ answer: ReplyMessage, to queue: String, for message: RequestMessage, reply: @escaping Reply
    ) async {
        let body = answer.body(uniqueID: random.bytes(16).hex)
        switch await reply(queue, body) {
        case .delivered: break
        case .undeliverable: logger.info("reply could not be delivered", metadata: metadata(message))
        case .tooLarge:
            let failure = RPCFailure(
                className: "RuntimeError", module: "builtins",
                message: "the result of \(message.method) has \(body.count) bytes, more than the bus carries"
            )
            let excuse = ReplyMessage(messageID: answer.messageID, content: .failure(failure))
            _ = await reply(queue, excuse.body(uniqueID: random.bytes(16).hex))
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
                let pause = Duration.milliseconds(min(seconds, 86_400) * 500)
                while (try? await Task.sleep(for: pause)) != nil {
                    guard await reply(queue, sign.body(uniqueID: random.bytes(16).hex)) == .delivered else { break }
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
