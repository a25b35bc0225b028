// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Synchronization

extension RabbitBus {
    /// How long the broker may take to confirm a reply before another attempt.
    private static let replyPatience = Duration.seconds(10)
    /// How long a reply is tried at most.
    private static let replyLimit = Duration.seconds(60)
    private static let replyPause = Duration.milliseconds(250)

    /// Sends a reply.
    ///
    /// An answer is on its way when this returns, so that its handler ends, and is tried again under other unique ids while its
    /// queue is away; a sign of life is there, or given up.
    ///
    /// - Parameters:
    ///   - deadline: When the caller gives up; without one, or later than in a minute, a minute counts.
    func reply(
        _ queue: String, _ kind: RequestRunner.ReplyKind, _ body: @escaping @Sendable () -> [UInt8], deadline: Deadline?
    ) async -> RequestRunner.Delivery {
        guard !gone.withLock({ $0.contains(queue, .now) }) else { return .undeliverable }
        let latest = Deadline.after(Self.replyLimit)
        let end = min(deadline ?? latest, latest)
        guard kind == .answer else { return await retry(queue, body, until: end) }
        let bytes = body()
        guard bytes.count <= Self.maximumBytes else { return .tooLarge(bytes.count) }
        let number = state.withLock { $0.makeNumber() }
        let act: @Sendable (MessagingError) -> Void = { [self] _ in
            state.withLock { $0.countRetry(1) }
            Task {
                if case .undeliverable = await retry(queue, body, until: end) {
                    logger.info("reply could not be delivered", metadata: ["queue.name": "\(queue)"])
                }
                state.withLock { $0.countRetry(-1) }
            }
        }
        begin(number) { state in
            state.add(
                number,
                RabbitState.Item(
                    message: RabbitMessage(exchange: topology.replyExchange, key: queue, body: bytes),
                    deadline: .now + min(Self.replyPatience, max(end.remaining, .seconds(1))), completion: .reply(act)))
        }
        return .delivered
    }

    /// Tries until the broker has the reply, or until the end.
    private func retry(
        _ queue: String, _ body: @Sendable () -> [UInt8], until end: Deadline
    ) async -> RequestRunner.Delivery {
        let begin = ContinuousClock.now
        while !end.isPast, state.withLock({ $0.phase }) != .closed {
            let bytes = body()
            let result = await submit(within: min(end.remaining, Self.replyPatience), bytes: bytes.count) {
                RabbitState.Item(
                    message: RabbitMessage(exchange: topology.replyExchange, key: queue, body: bytes), deadline: $0,
                    completion: $1)
            }
            switch result {
            case .success: return .delivered
            case .failure(let error) where error.code == .cancelled: return .undeliverable
            case .failure: break
            }
            // The caller declares its queue again when it has reconnected, and nothing tells when.
            guard (try? await Task.sleep(for: Self.replyPause)) != nil else { return .undeliverable }
        }
        // A caller that gave up sooner may still read the replies to its other calls.
        if begin.duration(to: .now) >= Self.replyLimit - Self.replyPatience - Self.replyPause {
            gone.withLock { $0.insert(queue, .now) }
        }
        return .undeliverable
    }

    /// Waits until the broker has the replies that handlers left behind.
    func finishReplies(within limit: Duration) async {
        let end = Deadline.after(limit)
        while !end.isPast, state.withLock({ $0.openReplies }) > 0 {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}
