// SPDX-License-Identifier: Apache-2.0

import COpenSSL
package import Model

/// A guest's own account at the message broker: `trove-guest-<instance id>`.
package struct GuestAccount: Sendable, Hashable {
    /// What the names of all of them begin with.
    package static let prefix = "trove-guest-"

    package var instanceID: String
    package var password: Secret

    package init(instanceID: String, password: Secret) {
        self.instanceID = instanceID
        self.password = password
    }

    /// An account whose password follows from the instance's id and a passphrase, so that making it again changes nothing and
    /// nobody has to keep it. Shape of the password: 64 hexadecimal digits of HMAC-SHA256.
    ///
    /// - Parameter passphrase: The control plane's; one password does not say anything about it or about another one.
    /// - Throws: `unusable` when libcrypto fails.
    package init(instanceID: String, passphrase: Secret) throws(BrokerAccountError) {
        let (key, text) = (Array(passphrase.revealed.utf8), Array("bus account \(instanceID)".utf8))
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        guard !key.isEmpty,
            HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &digest, &count) != nil, count == 32
        else { throw BrokerAccountError(.unusable, "no password could be made for a guest's broker account") }
        self.init(instanceID: instanceID, password: Secret(digest.hex))
    }

    package var user: String { Self.user(instanceID) }

    package static func user(_ instanceID: String) -> String { prefix + instanceID }
}
