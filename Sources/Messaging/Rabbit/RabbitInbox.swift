// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import Synchronization

/// What is to be said about the deliveries of one connection.
///
/// What the connection's own thread says is written at once; what others say waits for that thread, which they wake.
/// Unchecked: the connection is used by its own thread alone, everything else is behind the lock.
final class RabbitInbox: DeliverySource, @unchecked Sendable {
    private enum Word {
        case acknowledge(UInt64, @Sendable (Bool) -> Void)
        case reject(UInt64, requeue: Bool)
    }
    private struct State {
        var isOpen = true
        var words: [Word] = []
    }

    private let connection: RabbitConnection
    private let thread = pthread_self()
    private let wake: WakeSignal
    private let state = Mutex(State())

    /// Made on the connection's thread.
    init(_ connection: RabbitConnection, wake: WakeSignal) {
        self.connection = connection
        self.wake = wake
    }

    func acknowledge(_ number: UInt64, then: @escaping @Sendable (Bool) -> Void) {
        say(.acknowledge(number, then))
    }

    func giveBack(_ number: UInt64) { say(.reject(number, requeue: true)) }

    /// Gives a delivery to nobody.
    func drop(_ number: UInt64) { say(.reject(number, requeue: false)) }

    private func say(_ word: Word) {
        if pthread_equal(thread, pthread_self()) != 0, state.withLock({ $0.isOpen }) {
            // A connection that cannot be written to is noticed where it is read.
            _ = try? write(word)
            return
        }
        let (isKept, isFirst) = state.withLock { state -> (Bool, Bool) in
            guard state.isOpen else { return (false, false) }
            state.words.append(word)
            return (true, state.words.count == 1)
        }
        if isFirst { wake.raise() }
        if !isKept { Self.refuse(word) }
    }

    /// Writes what others have said; on the connection's thread.
    func flush() throws(RabbitFailure) {
        let words = state.withLock { state in
            defer { state.words = [] }
            return state.words
        }
        guard words.count > 1 else { return try write(words[...]) }
        try connection.together { () throws(RabbitFailure) in try write(words[...]) }
    }

    private func write(_ words: ArraySlice<Word>) throws(RabbitFailure) {
        for index in words.indices {
            do throws(RabbitFailure) {
                try write(words[index])
            } catch {
                for word in words[index...].dropFirst() { Self.refuse(word) }
                throw error
            }
        }
    }

    private func write(_ word: Word) throws(RabbitFailure) {
        do throws(RabbitFailure) {
            switch word {
            case .acknowledge(let number, let then):
                try connection.acknowledge(number)
                then(true)
            case .reject(let number, let requeue): try connection.reject(number, requeue: requeue)
            }
        } catch {
            Self.refuse(word)
            throw error
        }
    }

    private static func refuse(_ word: Word) {
        if case .acknowledge(_, let then) = word { then(false) }
    }

    /// The connection is gone, and the broker gives to others what was not acknowledged.
    func close() {
        let words = state.withLock { state in
            state.isOpen = false
            defer { state.words = [] }
            return state.words
        }
        for word in words { Self.refuse(word) }
    }
}

extension WakeSignal {
    /// Waits for a wake-up, for input, or until the time is over.
    func wait(for limit: Duration, input: Int32 = -1) {
        var entries = [
            pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: input, events: Int16(POLLIN), revents: 0),
        ]
        let milliseconds = Int32(clamping: max(0, (limit.microseconds + 999) / 1000))
        if poll(&entries, 2, milliseconds) > 0, entries[0].revents != 0 { clear() }
    }

    /// Waits until the time is over, whatever wakes it, unless it `isOver`.
    func pause(_ limit: Duration, unless isOver: () -> Bool) {
        let end = ContinuousClock.now + limit
        while !isOver() {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { return }
            wait(for: left)
        }
    }
}
