// SPDX-License-Identifier: Apache-2.0

/// A message that the hub holds.
struct HubMessage: Sendable {
    let body: [UInt8]
    let expires: ContinuousClock.Instant?
    var isRedelivered = false

    func isExpired(_ now: ContinuousClock.Instant) -> Bool {
        guard let expires else { return false }
        return expires <= now
    }
}

/// One consumer of the hub: a connection's tag.
struct HubConsumerID: Sendable, Hashable {
    var connection: UInt64
    var tag: UInt32
}

/// Messages in order, and who takes them in turn.
struct HubQueue: Sendable {
    /// The connection that a transient queue goes with.
    var owner: UInt64?
    /// Whether the oldest message goes when there is no room for another.
    var isRing = false
    /// Fanout exchange that feeds the queue; empty for none.
    var fanout = ""
    private(set) var consumers: [HubConsumerID] = []
    private var turn = 0
    private var messages: [HubMessage?] = []
    private var head = 0
    /// Bytes of the bodies that wait.
    private(set) var bytes = 0

    init(owner: UInt64?) { self.owner = owner }

    var count: Int { messages.count - head }

    mutating func append(_ message: HubMessage) {
        messages.append(message)
        bytes += message.body.count
    }

    /// Puts messages back in front, the first one first.
    mutating func prepend(_ returned: [HubMessage]) {
        messages.replaceSubrange(0..<head, with: returned)
        head = 0
        bytes += returned.reduce(0) { $0 + $1.body.count }
    }

    /// Takes the first message.
    mutating func popFirst() -> HubMessage? {
        guard head < messages.count, let message = messages[head] else { return nil }
        messages[head] = nil
        head += 1
        bytes -= message.body.count
        if head == messages.count {
            messages.removeAll(keepingCapacity: messages.count <= 64)
            head = 0
        } else if head >= 64, head * 2 >= messages.count {
            messages.removeFirst(head)
            head = 0
        }
        return message
    }

    /// Drops what nobody waits for any more; returns its bytes.
    mutating func removeExpired(_ now: ContinuousClock.Instant) -> Int {
        let before = bytes
        let kept = messages[head...].compactMap { $0 }.filter { !$0.isExpired(now) }
        messages = kept
        head = 0
        bytes = kept.reduce(0) { $0 + $1.body.count }
        return before - bytes
    }

    mutating func add(_ consumer: HubConsumerID) {
        if !consumers.contains(consumer) { consumers.append(consumer) }
    }

    mutating func remove(_ consumer: HubConsumerID) {
        consumers.removeAll { $0 == consumer }
    }

    /// The next consumer in turn that `isReady`.
    mutating func nextConsumer(_ isReady: (HubConsumerID) -> Bool) -> HubConsumerID? {
        for offset in consumers.indices {
            let index = (turn + offset) % consumers.count
            guard isReady(consumers[index]) else { continue }
            turn = (index + 1) % consumers.count
            return consumers[index]
        }
        return nil
    }
}
