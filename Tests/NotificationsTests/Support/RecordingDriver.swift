// SPDX-License-Identifier: Apache-2.0

import Messaging
import Notifications
import Synchronization

/// Keeps what it is given, and fails as it is told.
final class RecordingDriver: NotificationDriver {
    private struct State {
        var sent: [NotificationMessage] = []
        var failure: MessagingError?
        var attempts = 0
    }

    private let state = Mutex(State())

    var sent: [NotificationMessage] { state.withLock { $0.sent } }
    var attempts: Int { state.withLock { $0.attempts } }

    /// nil: the bus is there.
    var failure: MessagingError? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }

    static let busAway = MessagingError(.unavailable, "the bus is away")

    func send(_ message: NotificationMessage) async throws(MessagingError) {
        let failure = state.withLock { state -> MessagingError? in
            state.attempts += 1
            if state.failure == nil { state.sent.append(message) }
            return state.failure
        }
        if let failure { throw failure }
    }
}
