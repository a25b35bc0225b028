// SPDX-License-Identifier: Apache-2.0

import Model

extension RabbitState {
    /// Returns the deadline when a timer is needed for it.
    mutating func arm(_ deadline: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        if let armed, armed <= deadline { return nil }
        armed = deadline
        return deadline
    }

    /// Ends the wait for an item; nil when nobody waits for it.
    mutating func resolve(_ number: UInt64, _ result: Result<Void, MessagingError>) -> Resumption? {
        guard let item = items.removeValue(forKey: number) else { return nil }
        switch item.completion {
        case .waiter(let waiter): return .waiter(waiter, result)
        case .reply(let act):
            openReplies -= 1
            guard case .failure(let error) = result else { return nil }
            return .reply(act, error)
        case .call(let messageID):
            // Once the broker has the request, only the call's own deadline counts; it is the item's, and armed.
            guard case .failure(let error) = result else { return nil }
            return finish(messageID, .failure(error))
        }
    }

    /// Takes a reply; nil while its call goes on, or when nobody waits for it any more.
    mutating func take(_ reply: ReplyMessage) -> Resumption? {
        guard let call = calls[reply.messageID] else { return nil }
        let opened = call.key.map { reply.opened(with: $0) } ?? reply
        guard let result = calls[reply.messageID]?.assembly.take(opened) else { return nil }
        return finish(reply.messageID, result)
    }

    /// Ends a call; nil when it has ended.
    mutating func finish(_ messageID: String, _ result: Result<JSONValue, MessagingError>) -> Resumption? {
        guard let call = calls.removeValue(forKey: messageID) else { return nil }
        items[call.number] = nil
        return .caller(call.caller, result)
    }

    /// Ends what is overdue; returns also when to look again.
    mutating func expire(
        _ now: ContinuousClock.Instant, place: String
    ) -> (ended: [Resumption], next: ContinuousClock.Instant?) {
        guard let armed, armed <= now else { return ([], nil) }
        var ended: [Resumption] = []
        for (number, item) in items where item.deadline <= now {
            let away = MessagingError(.unavailable, "the bus at \(place) did not take the request in time\(reason)")
            if let resumption = resolve(number, .failure(away)) { ended.append(resumption) }
        }
        for (messageID, call) in calls where call.deadline <= now {
            let late = MessagingError(.timedOut, "\(call.description) was not answered in time")
            if let resumption = finish(messageID, .failure(late)) { ended.append(resumption) }
        }
        self.armed = (items.values.map(\.deadline) + calls.values.map(\.deadline)).min()
        return (ended, self.armed)
    }

    private var reason: String {
        if let blockedReason { return ": the broker takes no messages (\(blockedReason))" }
        return (failure ?? readFailure).map { ": \($0)" } ?? ""
    }

    /// Counts a reply that is tried again, or no longer.
    mutating func countRetry(_ change: Int) { openReplies += change }

    /// Ends everything, for good.
    mutating func close() -> [Resumption] {
        phase = .closed
        let closed = MessagingError(.unavailable, "the bus connection was closed")
        let resumptions =
            items.keys.sorted().compactMap { resolve($0, .failure(closed)) }
            + calls.keys.sorted().compactMap { finish($0, .failure(closed)) }
        armed = nil
        return resumptions
    }
}
