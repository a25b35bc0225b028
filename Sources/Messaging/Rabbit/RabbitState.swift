// SPDX-License-Identifier: Apache-2.0

import Model

/// A message for the broker.
struct RabbitMessage: Sendable {
    var exchange: String
    var key: String
    var body: [UInt8]
    /// Whether the broker gives it back when no queue takes it.
    var isMandatory = true
    /// Whether nobody wants it after its item's deadline.
    var expires = false
}

/// What a `RabbitBus` waits for and serves, without sockets or threads.
struct RabbitState {
    typealias Waiter = CheckedContinuation<Result<Void, MessagingError>, Never>
    typealias Caller = CheckedContinuation<Result<JSONValue, MessagingError>, Never>

    enum Phase { case open, draining, closed }

    /// Who learns what became of an item.
    enum Completion: Sendable {
        case waiter(Waiter)
        /// The call of that message id.
        case call(String)
        /// A reply, which nobody waits for; what to do when it does not get there.
        case reply(@Sendable (MessagingError) -> Void)
    }

    /// What to do about a message that no queue took.
    enum Unroutable: Sendable {
        /// Its sender learns it.
        case fail
        /// It is sent again while peers may still be coming back, then its sender learns it.
        case settle
        /// Its steps are done again, then it is sent again.
        case prepare
    }

    /// One thing that the publishing connection is asked for; kept until the broker has confirmed it, and asked again on a new
    /// connection.
    struct Item: Sendable {
        /// Done before the message, once in a connection unless `isPreparedAnew`.
        var steps: [RabbitStep] = []
        var isPreparedAnew = false
        var message: RabbitMessage?
        var unroutable = Unroutable.fail
        var deadline: ContinuousClock.Instant
        var completion: Completion
        /// How often the broker closed the channel over it, or gave it back.
        var refusals = 0
    }

    struct Call {
        var assembly: ReplyAssembly
        var number: UInt64
        /// What its result is sealed with.
        var key: RPCKey?
        var description: String
        var deadline: ContinuousClock.Instant
        var caller: Caller
    }

    /// A server that this bus is.
    struct Subscription: Sendable {
        var id: UInt64
        var topic: String
        var server: String
        /// What is unique in the name of its fanout queue.
        var unique: String
        var runner: RequestRunner
        var pool: HandlerPool
        /// Who waits for it to be served; an item's number.
        var waiter: UInt64?
    }

    /// What the consuming connection is asked for.
    enum Errand: Sendable {
        case subscribe(UInt64)
        case unsubscribe(Subscription)
        /// Takes replies from now on.
        case receiveReplies
        /// Takes no requests any more.
        case stop(Latch)
    }

    /// What is to be resumed, outside the lock.
    enum Resumption {
        case waiter(Waiter, Result<Void, MessagingError>)
        case caller(Caller, Result<JSONValue, MessagingError>)
        case reply(@Sendable (MessagingError) -> Void, MessagingError)

        func resume() {
            switch self {
            case .reply(let act, let error): act(error)
            case .waiter(let waiter, let result): waiter.resume(returning: result)
            case .caller(let caller, let result): caller.resume(returning: result)
            }
        }
    }

    var phase = Phase.open
    var isPublisherUp = false
    var isConsumerUp = false
    /// Why the broker takes no messages; nil when it does.
    var blockedReason: String?
    /// Why there is no connection; nil when there is one.
    var failure: String?
    /// Why there is no consuming connection; nil when there is one, or none is wanted.
    var readFailure: String?
    /// Sockets of the connections, so that they can be shut down from outside.
    var descriptors: Set<Int32> = []
    var subscriptions: [Subscription] = []
    /// Queues of others that this bus keeps declared: topic and server.
    var declared: [[String]] = []
    var errands: [Errand] = []
    private(set) var wantsReplies = false
    /// Replies that the broker has not confirmed, or that are tried again.
    var openReplies = 0
    /// When what is overdue is looked for; nil when nothing waits.
    var armed: ContinuousClock.Instant?
    var items: [UInt64: Item] = [:]
    var calls: [String: Call] = [:]
    private var ready: [UInt64] = []
    /// Calls that wait for the reply queue.
    private var held: [UInt64] = []
    private var receivesReplies = false
    private var lastNumber: UInt64 = 0

    mutating func makeNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    /// Whether the consuming connection is of use.
    var wantsConsumer: Bool { wantsReplies || !subscriptions.isEmpty }

    var isConnected: Bool {
        isPublisherUp && blockedReason == nil && (isConsumerUp || !wantsConsumer)
    }
}

// MARK: - Sending

extension RabbitState {
    /// What must be done after something was added.
    struct Wakes {
        var publisher = false
        var consumer = false
        /// When to look for what is overdue.
        var timer: ContinuousClock.Instant?
    }

    /// Keeps an item until it is confirmed, and hands it to the publishing connection.
    mutating func add(_ number: UInt64, _ item: Item) -> Wakes {
        items[number] = item
        var wakes = Wakes(timer: arm(item.deadline))
        if case .reply = item.completion { openReplies += 1 }
        if case .call = item.completion, !receivesReplies {
            held.append(number)
            wakes.consumer = !wantsReplies
            if !wantsReplies { errands.append(.receiveReplies) }
            wantsReplies = true
        } else {
            wakes.publisher = ready.isEmpty
            ready.append(number)
        }
        return wakes
    }

    /// Keeps a waiter for something that is not published.
    mutating func wait(_ number: UInt64, _ item: Item) -> Wakes {
        items[number] = item
        return Wakes(timer: arm(item.deadline))
    }

    mutating func add(_ messageID: String, _ call: Call) { calls[messageID] = call }

    /// Lets the calls go that waited for the reply queue; returns whether there are any.
    mutating func beginReplies() -> Bool {
        receivesReplies = true
        ready += held
        defer { held = [] }
        return !held.isEmpty
    }

    /// Hands an item out again.
    mutating func again(_ number: UInt64) {
        if items[number] != nil { ready.append(number) }
    }

    /// At most `limit` items, in the order of submission.
    mutating func takeReady(_ limit: Int) -> [(number: UInt64, item: Item)] {
        guard !ready.isEmpty, limit > 0 else { return [] }
        let taken = ready.prefix(limit)
        ready.removeFirst(taken.count)
        return taken.compactMap { number in items[number].map { (number, $0) } }
    }

    /// Makes everything that is not confirmed ready again, for a new connection.
    mutating func attach() {
        isPublisherUp = true
        failure = nil
        let waiting = Set(held)
        let others = Set(subscriptions.compactMap(\.waiter))
        ready = items.keys.filter { !waiting.contains($0) && !others.contains($0) }.sorted()
    }

    mutating func detach(_ failure: String) {
        isPublisherUp = false
        blockedReason = nil
        self.failure = failure
    }

    /// Counts a refusal; returns how many there were.
    mutating func refuse(_ number: UInt64) -> Int {
        items[number]?.refusals += 1
        return items[number]?.refusals ?? 0
    }

    func item(_ number: UInt64) -> Item? { items[number] }

    /// The one of `numbers` whose message came back.
    func number(of exchange: String, _ key: String, _ body: [UInt8], among numbers: some Sequence<UInt64>) -> UInt64? {
        numbers.first { number in
            guard let message = items[number]?.message else { return false }
            return message.exchange == exchange && message.key == key && message.body == body
        }
    }
}
