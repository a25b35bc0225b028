// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Model
import Synchronization

extension RabbitBus {
    package func serve(topic: String, server: String, endpoint: any RPCEndpoint) async throws(MessagingError) {
        let duplicates = keyring == nil ? DuplicateFilter.usualCapacity : Self.sealedDuplicates
        let runner = RequestRunner(
            endpoint: endpoint, topic: topic, duplicates: DuplicateFilter(capacity: duplicates), meters: serverMeters,
            random: random, logger: logger, keyring: keyring)
        let pool = HandlerPool(limit: options.concurrency) { [self] delivery in
            await runner.run(delivery) { [self] queue, kind, body in
                await reply(queue, kind, body, deadline: delivery.deadline)
            }
        }
        let number = state.withLock { $0.makeNumber() }
        let subscription = RabbitState.Subscription(
            id: number, topic: topic, server: server, unique: random.bytes(16).hex, runner: runner, pool: pool,
            waiter: number)
        try add(subscription)
        let result = await waitForService(subscription, within: options.patience)
        switch result {
        case .success: break
        case .failure(let error) where error.code == .unavailable && isServed(subscription):
            logger.warning(
                "bus is away, serving begins when it is there",
                metadata: ["queue.name": "\(topic)", "error.message": "\(error.message)"])
        case .failure(let error):
            state.withLock { state in
                state.subscriptions.removeAll { $0.id == subscription.id }
                state.errands.append(.unsubscribe(subscription))
            }
            wakeConsumer()
            pool.close()
            throw error
        }
    }

    private func add(_ subscription: RabbitState.Subscription) throws(MessagingError) {
        let (topic, server) = (subscription.topic, subscription.server)
        let error = state.withLock { state -> MessagingError? in
            guard state.phase == .open else { return Self.closed }
            guard !state.subscriptions.contains(where: { $0.topic == topic && $0.server == server }) else {
                return MessagingError(.badMessage, "\(name) serves \(topic) as \(server) already")
            }
            state.subscriptions.append(subscription)
            return nil
        }
        if let error { throw error }
    }

    private func isServed(_ subscription: RabbitState.Subscription) -> Bool {
        state.withLock { state in
            state.phase == .open && state.subscriptions.contains { $0.id == subscription.id }
        }
    }

    /// Notes that a topic is served, or why not; a failure ends the subscription when somebody waits for it, and returns true.
    @discardableResult
    func served(_ subscription: RabbitState.Subscription, _ result: Result<Void, MessagingError>) -> Bool {
        let (resumption, isWaitedFor) = state.withLock { state -> (RabbitState.Resumption?, Bool) in
            guard let index = state.subscriptions.firstIndex(where: { $0.id == subscription.id }),
                let waiter = state.subscriptions[index].waiter
            else { return (nil, false) }
            guard let resumption = state.resolve(waiter, result) else { return (nil, false) }
            if case .failure = result { state.subscriptions.remove(at: index) }
            return (resumption, true)
        }
        resumption?.resume()
        return isWaitedFor
    }

    package func close() async {
        let (pools, isFirst) = state.withLock { state -> ([HandlerPool], Bool) in
            guard state.phase == .open else { return ([], false) }
            state.phase = .draining
            return (state.subscriptions.map(\.pool), true)
        }
        if isFirst {
            await stopConsuming()
            for pool in pools { pool.close() }
            await withTaskGroup { group in
                for pool in pools { group.addTask { [options] in await pool.drain(options.drain) } }
            }
            await finishReplies(within: .seconds(2))
            for resumption in state.withLock({ $0.close() }) { resumption.resume() }
            wakeThreads()
        }
        // A thread that writes to a broker that does not read is not held up by that any longer.
        let impatience = Task {
            guard (try? await Task.sleep(for: .seconds(3))) != nil else { return }
            state.withLock { state in
                for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
            }
        }
        for end in ends { await end.wait() }
        impatience.cancel()
    }

    private func stopConsuming() async {
        let stopped = Latch()
        let isNeeded = state.withLock { state in
            guard state.isConsumerUp else { return false }
            state.errands.append(.stop(stopped))
            return true
        }
        guard isNeeded else { return }
        wakeConsumer()
        let impatience = Task {
            guard (try? await Task.sleep(for: .seconds(2))) != nil else { return }
            stopped.open()
        }
        await stopped.wait()
        impatience.cancel()
    }

    static let closed = MessagingError(.unavailable, "the bus connection is closed")
}
