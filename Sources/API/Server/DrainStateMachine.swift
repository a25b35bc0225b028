// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// When a connection of a draining server ends.
///
/// A request that is being served ends the connection with its answer, which says so. A silent connection stays a little
/// longer: its client may be about to send, and cannot know that nobody would answer. Source: RFC 9112 §9.3, §9.6.
struct DrainStateMachine {
    /// How long a drained connection may have been silent: after an answer, and before its first request.
    struct Patience: Sendable {
        var betweenRequests = TimeAmount.seconds(2)
        var firstRequest = TimeAmount.seconds(5)
    }

    enum Action: Hashable {
        case nothing
        /// Ask again at this moment.
        case wait(until: NIODeadline)
        /// Send what is written, then the end.
        case close
    }

    private enum Phase {
        case serving, draining
        /// The client has been told, or the end has been sent.
        case closing
    }

    private let patience: Patience
    private var phase = Phase.serving
    /// Requests whose head was read and whose answer is not complete.
    private var requestsInProgress = 0
    private var hasServed = false
    private var lastActive: NIODeadline

    init(patience: Patience, now: NIODeadline) {
        self.patience = patience
        lastActive = now
    }

    /// - Returns: Whether the request is to be served.
    mutating func readHead(now: NIODeadline) -> Bool {
        guard phase != .closing else { return false }
        requestsInProgress += 1
        lastActive = now
        return true
    }

    /// - Returns: Whether the answer says that the connection ends with it.
    mutating func writeHead() -> Bool {
        // Requests that were sent ahead are answered too.
        guard phase == .draining, requestsInProgress == 1 else { return false }
        phase = .closing
        return true
    }

    mutating func writeEnd(now: NIODeadline) -> Action {
        // What is no request is answered too.
        requestsInProgress = max(0, requestsInProgress - 1)
        hasServed = true
        lastActive = now
        if phase == .closing { return requestsInProgress == 0 ? .close : .nothing }
        return check(now: now)
    }

    mutating func drain(now: NIODeadline) -> Action {
        guard phase == .serving else { return .nothing }
        phase = .draining
        return check(now: now)
    }

    /// What a wait that is over leads to.
    mutating func check(now: NIODeadline) -> Action {
        guard phase == .draining, requestsInProgress == 0 else { return .nothing }
        let end = lastActive + (hasServed ? patience.betweenRequests : patience.firstRequest)
        guard end <= now else { return .wait(until: end) }
        phase = .closing
        return .close
    }
}
