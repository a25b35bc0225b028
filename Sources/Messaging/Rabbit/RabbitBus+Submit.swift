// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization

extension RabbitBus {
    typealias MakeItem = (ContinuousClock.Instant, RabbitState.Completion) -> RabbitState.Item

    /// Hands an item to the publishing connection and waits until the broker has confirmed it.
    func submit(within limit: Duration, bytes: Int, _ item: MakeItem) async -> Result<Void, MessagingError> {
        guard bytes <= Self.maximumBytes else { return .failure(Self.tooLarge(bytes)) }
        let number = state.withLock { $0.makeNumber() }
        let deadline = ContinuousClock.now + limit
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                begin(number) { $0.add(number, item(deadline, .waiter(waiter))) }
            }
        } onCancel: {
            resolve(number, .failure(Self.cancelled))
        }
    }

    /// Has the consuming connection serve a subscription, and waits until it does.
    func waitForService(_ subscription: RabbitState.Subscription, within limit: Duration) async -> Result<
        Void, MessagingError
    > {
        let number = subscription.id
        let deadline = ContinuousClock.now + limit
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                begin(number) { state in
                    state.errands.append(.subscribe(number))
                    return state.wait(number, RabbitState.Item(deadline: deadline, completion: .waiter(waiter)))
                }
                wakeConsumer()
            }
        } onCancel: {
            resolve(number, .failure(Self.cancelled))
        }
    }

    /// Sends a call's request and waits for its outcome.
    func submitCall(
        _ messageID: String, _ message: RequestMessage, topic: String, timeout: Duration
    ) async -> Result<JSONValue, MessagingError> {
        let deadline = ContinuousClock.now + timeout
        let (body, key): ([UInt8], RPCKey?)
        do throws(MessagingError) {
            (body, key) = try await sealed(message, topic)
        } catch {
            return .failure(error)
        }
        guard body.count <= Self.maximumBytes else { return .failure(Self.tooLarge(body.count)) }
        let number = state.withLock { $0.makeNumber() }
        let item = RabbitState.Item(
            message: RabbitMessage(exchange: topology.requestExchange, key: topic, body: body, expires: true),
            unroutable: .settle, deadline: deadline, completion: .call(messageID))
        return await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                let call = RabbitState.Call(
                    assembly: ReplyAssembly(method: message.method), number: number, key: key,
                    description: "\(message.method) of \(topic)", deadline: deadline, caller: caller
                )
                begin(number) { state in
                    state.add(messageID, call)
                    return state.add(number, item)
                }
            }
        } onCancel: {
            finish(messageID, .failure(Self.cancelled))
        }
    }

    func begin(_ number: UInt64, _ add: (inout RabbitState) -> RabbitState.Wakes) {
        let (wakes, isClosed) = state.withLock { state in (add(&state), state.phase == .closed) }
        if let time = wakes.timer { expire(at: time) }
        if wakes.publisher { wakePublisher() }
        if wakes.consumer { wakeConsumer() }
        if isClosed { return resolve(number, .failure(Self.closed)) }
        if Task.isCancelled { resolve(number, .failure(Self.cancelled)) }
    }

    /// Looks for what is overdue at a time, and from then on as long as something waits.
    private func expire(at time: ContinuousClock.Instant) {
        Task {
            var next: ContinuousClock.Instant? = time
            while let time = next {
                try? await Task.sleep(until: time, clock: .continuous)
                let expired = state.withLock { $0.expire(.now, place: place) }
                for resumption in expired.ended { resumption.resume() }
                next = expired.next
            }
        }
    }

    func resolve(_ number: UInt64, _ result: Result<Void, MessagingError>) {
        state.withLock { $0.resolve(number, result) }?.resume()
    }

    func finish(_ messageID: String, _ result: Result<JSONValue, MessagingError>) {
        state.withLock { $0.finish(messageID, result) }?.resume()
    }

    static let cancelled = MessagingError(.cancelled, "the request was cancelled")

    static func tooLarge(_ bytes: Int) -> MessagingError {
        MessagingError(.badMessage, "a message has \(bytes) bytes, the bus carries \(maximumBytes) at most")
    }
}
