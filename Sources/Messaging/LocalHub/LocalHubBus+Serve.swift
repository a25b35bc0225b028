// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

extension LocalHubBus {
    package func serve(topic: String, server: String, endpoint: any RPCEndpoint) async throws(MessagingError) {
        let runner = RequestRunner(
            endpoint: endpoint, topic: topic, meters: serverMeters, random: random, logger: logger
        )
        let pool = HandlerPool(limit: options.concurrency) { [self] delivery in
            await runner.run(delivery) { [self] queue, _, body in
                await reply(queue, body(), deadline: delivery.deadline)
            }
        }
        let subscription = try subscribe(topic, server, pool)
        let result = await submit(within: options.patience) { number in
            frames(of: subscription, lastNumber: number)
        }
        switch result {
        case .success: break
        case .failure(let error) where error.code == .unavailable && state.withLock({ $0.phase == .open }):
            logger.warning(
                "bus is away, serving begins when it is there",
                metadata: ["queue.name": "\(topic)", "bus.socket": "\(path)"]
            )
        case .failure(let error):
            let link = state.withLock { state in
                state.subscriptions.removeAll { $0.firstTag == subscription.firstTag }
                return state.link
            }
            pool.close()
            cancel(subscription, link)
            throw error
        }
    }

    package func close() async {
        let (pools, link, isFirst) = state.withLock { state -> ([HandlerPool], HubLink?, Bool) in
            guard state.phase == .open else { return ([], nil, false) }
            state.phase = .draining
            return (state.subscriptions.map(\.pool), state.link, true)
        }
        if isFirst {
            stopConsuming(link)
            for pool in pools { pool.close() }
            await withTaskGroup { group in
                for pool in pools { group.addTask { [options] in await pool.drain(options.drain) } }
            }
            for resumption in state.withLock({ $0.close() }) { resumption.resume() }
            wake?.raise()
        }
        await end.wait()
    }

    /// Whatever `close()` finds taken by then is finished; the rest stays the hub's.
    private func stopConsuming(_ link: HubLink?) {
        for subscription in state.withLock({ $0.subscriptions }) { cancel(subscription, link) }
    }

    private func cancel(_ subscription: BusState.Subscription, _ link: HubLink?) {
        for offset in 0..<UInt32(3) { link?.send(.cancel(number: 0, tag: subscription.firstTag + offset)) }
    }

    private func subscribe(
        _ topic: String, _ server: String, _ pool: HandlerPool
    ) throws(MessagingError) -> BusState.Subscription {
        let result = state.withLock { state -> Result<BusState.Subscription, MessagingError> in
            guard state.phase == .open else { return .failure(Self.closed(path)) }
            guard !state.subscriptions.contains(where: { $0.topic == topic && $0.server == server }) else {
                return .failure(MessagingError(.badMessage, "\(name) serves \(topic) as \(server) already"))
            }
            let subscription = BusState.Subscription(
                topic: topic, server: server, firstTag: state.makeTags(), pool: pool
            )
            state.subscriptions.append(subscription)
            return .success(subscription)
        }
        return try result.get()
    }

    /// Declares and consumes the three queues of a server, in the order of the production bus: no consumer before all exist.
    func frames(of subscription: BusState.Subscription, lastNumber: UInt64) -> [HubFrame] {
        let topic = subscription.topic
        let queues = [
            topic, HubName.server(topic, subscription.server),
            HubName.fanoutQueue(topic, "\(replyQueue.dropFirst(6))_\(subscription.firstTag)"),
        ]
        let declares = queues.enumerated().map { index, queue in
            HubFrame.declare(
                number: 0, queue: queue, fanout: index == 2 ? HubName.fanout(topic) : "", isTransient: index == 2
            )
        }
        let consumes = queues.enumerated().map { index, queue in
            HubFrame.consume(
                number: index == 2 ? lastNumber : 0, tag: subscription.firstTag + UInt32(index), queue: queue
            )
        }
        return declares + consumes
    }
}
