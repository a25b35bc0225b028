// SPDX-License-Identifier: Apache-2.0

package import Model

/// Tokens that were revoked before they expired.
package protocol RevocationRepository {
    func revoke(tokenDigest: String, expires: Timestamp) throws
    func isRevoked(tokenDigest: String) throws -> Bool
    func purge(now: Timestamp) throws
    func all() throws -> [String]
}
