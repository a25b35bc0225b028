// SPDX-License-Identifier: Apache-2.0

/// The newest `sent` mark per instance and method; older messages are dropped.
package protocol LastSeenRepository {
    /// True when `sent` is newer than what is stored, which it then becomes.
    func advance(instanceID: String, method: String, sent: Double) throws -> Bool
}
