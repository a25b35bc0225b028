// SPDX-License-Identifier: Apache-2.0

import BrokerAccounts
import Logging
import Messaging
import Model

/// Waits for a broker that is away: an operation that was accepted does not fail because of that.
enum BusPatience {
    private static let pause = Duration.seconds(1)

    /// Runs `body` until it ends with anything but the bus being away, and at least once.
    ///
    /// - Parameter limit: When it is not tried again any more.
    /// - Throws: What the last try threw; `FlowError` without the broker's particulars for a refused account.
    static func run<Value: Sendable>(
        _ run: FlowRun, for limit: Duration, _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        let deadline = Deadline.after(limit)
        var isTold = false
        while true {
            do {
                return try await body()
            } catch  where isAway(error) && !deadline.isPast {
                if !isTold { run.logger.warning("waiting for the bus", metadata: ["error": "\(error)"]) }
                isTold = true
            } catch let error as BrokerAccountError {
                // Its sentence names the broker, and this one is for the tenant.
                run.logger.error("the guest's broker account failed", metadata: ["error": "\(error.message)"])
                throw FlowError("The guest's account at the message bus could not be dealt with.")
            }
            try await Task.sleep(for: pause)
        }
    }

    private static func isAway(_ error: any Error) -> Bool {
        switch error {
        case let error as MessagingError: error.code == .unavailable
        case let error as BrokerAccountError: error.isRetryable
        default: false
        }
    }
}
