// SPDX-License-Identifier: Apache-2.0

/// Makes and removes the accounts with which guests reach the message broker.
package protocol BrokerAdministration: Sendable {
    /// Makes an account with the rights of its instance's guest and nothing else. Idempotent: one that is there gets this
    /// password and these rights.
    ///
    /// - Throws: `unavailable` (retryable), `refused`.
    func create(_ account: GuestAccount) async throws(BrokerAccountError)

    /// Removes an instance's account, which also ends its connections. Idempotent.
    ///
    /// - Throws: `unavailable` (retryable), `refused`.
    func remove(instanceID: String) async throws(BrokerAccountError)

    /// The instances that have an account here.
    ///
    /// - Throws: `unavailable` (retryable), `refused`.
    func instances() async throws(BrokerAccountError) -> Set<String>
}
