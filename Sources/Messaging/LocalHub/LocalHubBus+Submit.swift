// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization

extension LocalHubBus {
    /// Hands frames to the hub and waits until it has confirmed the one that carries the number.
    func submit(
        within limit: Duration, _ frames: (UInt64) -> [HubFrame]
    ) async -> Result<Void, MessagingError> {
        let number = state.withLock { $0.makeNumber() }
        let frames = frames(number)
        let deadline = ContinuousClock.now + limit
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                begin(number, frames, deadline, .waiter(waiter))
                if Task.isCancelled { resolve(number, .failure(Self.cancelled)) }
            }
        } onCancel: {
            resolve(number, .failure(Self.cancelled))
        }
    }

    /// Sends a call's request and waits for its outcome.
    func submitCall(
        _ messageID: String, _ message: RequestMessage, topic: String, timeout: Duration
    ) async -> Result<JSONValue, MessagingError> {
        let number = state.withLock { $0.makeNumber() }
        let deadline = ContinuousClock.now + timeout
        let milliseconds = UInt32(clamping: max(1, timeout.microseconds / 1000))
        let frame = HubFrame.publish(
            number: number, expires: milliseconds, exchange: HubName.exchange, key: topic, body: message.body
        )
        return await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                let call = BusState.Call(
                    assembly: ReplyAssembly(method: message.method), number: number,
                    description: "\(message.method) of \(topic)", deadline: deadline, caller: caller
                )
                state.withLock { $0.add(messageID, call) }
                begin(number, [frame], deadline, .call(messageID))
                if Task.isCancelled { finish(messageID, .failure(Self.cancelled)) }
            }
        } onCancel: {
            finish(messageID, .failure(Self.cancelled))
        }
    }

    /// Delivers a reply, trying again while the caller's queue is away.
    ///
    /// - Parameters:
    ///   - deadline: When the caller gives up; without one, or later than in a minute, a minute counts.
    func reply(_ queue: String, _ body: [UInt8], deadline: Deadline?) async -> RequestRunner.Delivery {
        let latest = Deadline.after(.seconds(60))
        let end = min(deadline ?? latest, latest)
        while !end.isPast {
            let result = await submit(within: end.remaining) { number in
                [.publish(number: number, expires: 0, exchange: "", key: queue, body: body)]
            }
            switch result {
            case .success: return .delivered
            case .failure(let error) where error.code == .badMessage: return .tooLarge(body.count)
            case .failure(let error) where error.code == .cancelled: return await lastReply(queue, body)
            case .failure: break
            }
            // The caller declares its queue again when it has reconnected, and nothing tells when.
            guard (try? await Task.sleep(for: .milliseconds(250))) != nil else { break }
        }
        return .undeliverable
    }

    /// Sends a reply from a handler that was cancelled: its caller is to learn that.
    private func lastReply(_ queue: String, _ body: [UInt8]) async -> RequestRunner.Delivery {
        let result = await Task {
            await submit(within: .seconds(1)) { number in
                [.publish(number: number, expires: 0, exchange: "", key: queue, body: body)]
            }
        }.value
        if case .success = result { return .delivered }
        return .undeliverable
    }

    private func begin(
        _ number: UInt64, _ frames: [HubFrame], _ deadline: ContinuousClock.Instant, _ completion: BusState.Completion
    ) {
        let item = BusState.Pending(frames: frames, deadline: deadline, completion: completion)
        let bytes = item.encoded(.now)
        let (link, needsWake, failure) = state.withLock { state -> (HubLink?, Bool, MessagingError?) in
            let needsWake = state.add(number, item)
            if state.phase == .closed { return (nil, false, Self.closed(path)) }
            guard bytes.count <= HubFrame.maximumBytes else { return (nil, false, Self.tooLarge(bytes.count)) }
            return (state.link, needsWake, nil)
        }
        if let failure { return resolve(number, .failure(failure)) }
        if needsWake { wake?.raise() }
        link?.send(bytes)
    }

    func resolve(_ number: UInt64, _ result: Result<Void, MessagingError>) {
        state.withLock { $0.resolve(number, result) }?.resume()
    }

    func finish(_ messageID: String, _ result: Result<JSONValue, MessagingError>) {
        state.withLock { $0.finish(messageID, result) }?.resume()
    }

    private static let cancelled = MessagingError(.cancelled, "the request was cancelled")

    private static func tooLarge(_ bytes: Int) -> MessagingError {
        MessagingError(
            .badMessage, "a message has \(bytes) bytes, the bus carries \(HubFrame.maximumBytes) at most"
        )
    }

    /// Why nothing can be sent any more.
    static func closed(_ path: String) -> MessagingError {
        do throws(MessagingError) {
            try UnixSocket.check(path)
        } catch {
            return error
        }
        return MessagingError(.unavailable, "the bus connection is closed")
    }
}
