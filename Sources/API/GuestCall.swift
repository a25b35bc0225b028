// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model

extension APIServices {
    /// Sends one verb to a guest on behalf of a request.
    ///
    /// As `GuestClient.call`, whose callers wait as long as the verb may take; but a bus that is away for
    /// `APIConfiguration.busPatience` ends it with `unavailable` and `isBusAway`.
    func callGuest(
        _ instanceID: String, _ verb: GuestVerb, _ arguments: [String: JSONValue], context: RequestContext
    ) async throws(MessagingError) -> JSONValue {
        let guests = guests
        let call = Task { () async -> Result<JSONValue, MessagingError> in
            do throws(MessagingError) {
                return .success(try await guests.call(instanceID, verb, arguments, context: context))
            } catch {
                return .failure(error)
            }
        }
        let patience = configuration.busPatience
        let watch = Task {
            guard await Self.isBusLost(guests, patience) else { return false }
            call.cancel()
            return true
        }
        let result = await withTaskCancellationHandler {
            await call.value
        } onCancel: {
            call.cancel()
        }
        watch.cancel()
        if case .failure(let error) = result, error.code == .cancelled, await watch.value { throw Self.busAway }
        return try result.get()
    }

    private static let busAway: MessagingError = {
        var error = MessagingError(.unavailable, APIFault.busAway)
        error.isBusAway = true
        return error
    }()

    /// Returns true once the bus has been away for `patience`, false when it is cancelled.
    private static func isBusLost(_ guests: GuestClient, _ patience: Duration) async -> Bool {
        var lost: ContinuousClock.Instant?
        repeat {
            let now = ContinuousClock.now
            lost = guests.isBusConnected ? nil : lost ?? now
            if let lost, lost.duration(to: now) >= patience { return true }
        } while (try? await Task.sleep(for: .milliseconds(50))) != nil
        return false
    }
}
