// SPDX-License-Identifier: Apache-2.0

/// The newest `sent` mark per instance and method; older messages are dropped.
package protocol LastSeenRepository {
    /// Many marks at once, each against what is stored and against those before it.
    ///
    /// - Returns: For each mark, in order, whether it is newer than what was stored, which it then becomes.
    func advance(_ marks: [LastSeenMark]) throws -> [Bool]
}

extension LastSeenRepository {
    /// True when `sent` is newer than what is stored, which it then becomes.
    package func advance(instanceID: String, method: String, sent: Double) throws -> Bool {
        try advance([LastSeenMark(instanceID: instanceID, method: method, sent: sent)]).first ?? false
    }
}
