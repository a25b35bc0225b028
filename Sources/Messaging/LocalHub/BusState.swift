// SPDX-License-Identifier: Apache-2.0

import Model

/// What a client of the hub waits for and serves, without sockets or threads.
struct BusState {
    typealias Waiter = CheckedContinuation<Result<Void, MessagingError>, Never>
    typealias Caller = CheckedContinuation<Result<JSONValue, MessagingError>, Never>

    enum Phase { case open, draining, closed }

    /// Who learns what became of a frame.
    enum Completion {
        case waiter(Waiter)
        /// The call of that message id.
        case call(String)
    }

    /// A frame that the hub has not confirmed; it is sent again after a reconnect.
    struct Pending {
        var frames: [HubFrame]
        var deadline: ContinuousClock.Instant
        var completion: Completion

        /// The frames as they travel, with the expiration that is left.
        func encoded(_ now: ContinuousClock.Instant) -> [UInt8] {
            var bytes: [UInt8] = []
            for frame in frames {
                guard case .publish(let number, let expires, let exchange, let key, let body) = frame, expires > 0
                else {
                    frame.encode(into: &bytes)
                    continue
                }
                let left = UInt32(clamping: max(1, now.duration(to: deadline).microseconds / 1000))
                HubFrame.publish(
                    number: number, expires: min(left, expires), exchange: exchange, key: key, body: body
                ).encode(into: &bytes)
            }
            return bytes
        }
    }

    struct Call {
        var assembly: ReplyAssembly
        var number: UInt64
        var description: String
        var deadline: ContinuousClock.Instant
        var caller: Caller
    }

    /// A server that this bus is.
    struct Subscription {
        var topic: String
        var server: String
        var firstTag: UInt32
        var pool: HandlerPool
    }

    /// What is to be resumed, outside the lock.
    enum Resumption {
        case waiter(Waiter, Result<Void, MessagingError>)
        case caller(Caller, Result<JSONValue, MessagingError>)

        func resume() {
            switch self {
            case .waiter(let waiter, let result): waiter.resume(returning: result)
            case .caller(let caller, let result): caller.resume(returning: result)
            }
        }
    }

    var phase = Phase.open
    var link: HubLink?
    var subscriptions: [Subscription] = []
    /// Queues of others that this bus keeps declared.
    var declared: Set<String> = []
    /// When the link's thread looks for what is overdue; nil when nothing waits.
    private(set) var armed: ContinuousClock.Instant?
    private var pending: [UInt64: Pending] = [:]
    private var calls: [String: Call] = [:]
    private var lastNumber: UInt64 = 0
    private var lastTag: UInt32 = 0

    mutating func makeNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    /// The first of three consumer tags; 0 is the reply queue's.
    mutating func makeTags() -> UInt32 {
        defer { lastTag += 3 }
        return lastTag + 1
    }
}

// MARK: - Waiting

extension BusState {
    /// Keeps a frame until it is confirmed. Returns whether the link's thread must be woken for its deadline.
    mutating func add(_ number: UInt64, _ item: Pending) -> Bool {
        pending[number] = item
        return arm(item.deadline)
    }

    mutating func add(_ messageID: String, _ call: Call) { calls[messageID] = call }

    private mutating func arm(_ deadline: ContinuousClock.Instant) -> Bool {
        if let armed, armed <= deadline { return false }
        armed = deadline
        return true
    }

    /// Makes a connection the current one; returns what to send on it, in the order of submission.
    mutating func attach(_ link: HubLink) -> [Pending] {
        self.link = link
        return pending.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Ends the wait for a frame; nil when nobody waits for it.
    mutating func resolve(_ number: UInt64, _ result: Result<Void, MessagingError>) -> Resumption? {
        guard let item = pending.removeValue(forKey: number) else { return nil }
        switch item.completion {
        case .waiter(let waiter): return .waiter(waiter, result)
        case .call(let messageID):
            // Once the hub has the request, only the call's own deadline counts; it is the frame's, and armed.
            guard case .failure(let error) = result else { return nil }
            return finish(messageID, .failure(error))
        }
    }

    /// Takes a reply; nil while its call goes on, or when nobody waits for it any more.
    mutating func take(_ reply: ReplyMessage) -> Resumption? {
        guard let result = calls[reply.messageID]?.assembly.take(reply) else { return nil }
        return finish(reply.messageID, result)
    }

    /// Ends a call; nil when it has ended.
    mutating func finish(_ messageID: String, _ result: Result<JSONValue, MessagingError>) -> Resumption? {
        guard let call = calls.removeValue(forKey: messageID) else { return nil }
        pending[call.number] = nil
        return .caller(call.caller, result)
    }

    /// Ends what is overdue, and arms the next deadline.
    mutating func expire(_ now: ContinuousClock.Instant, socket: String) -> [Resumption] {
        guard let armed, armed <= now else { return [] }
        var ended: [Resumption] = []
        let away = MessagingError(.unavailable, "the bus at \(socket) did not take the request in time")
        for (number, item) in pending where item.deadline <= now {
            if let resumption = resolve(number, .failure(away)) { ended.append(resumption) }
        }
        for (messageID, call) in calls where call.deadline <= now {
            let late = MessagingError(.timedOut, "\(call.description) was not answered in time")
            if let resumption = finish(messageID, .failure(late)) { ended.append(resumption) }
        }
        self.armed = (pending.values.map(\.deadline) + calls.values.map(\.deadline)).min()
        return ended
    }

    /// Ends everything, for good.
    mutating func close() -> [Resumption] {
        phase = .closed
        let closed = MessagingError(.unavailable, "the bus connection was closed")
        let resumptions =
            pending.keys.sorted().compactMap { resolve($0, .failure(closed)) }
            + calls.keys.sorted().compactMap { finish($0, .failure(closed)) }
        armed = nil
        return resumptions
    }
}
