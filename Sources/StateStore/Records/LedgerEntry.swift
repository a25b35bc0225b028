// SPDX-License-Identifier: Apache-2.0

package import Model

/// Something made outside the state store, written down before it is made.
package struct LedgerEntry: Sendable, Hashable {
    /// Kind of a guest's account at the message broker.
    package static let busUser = "bus_user"

    /// `process`, `engine`, `mount`, `loop`, `image`, `cgroup`, `address`, `uid`, `directory`, `object`, `bus_user`.
    package var kind: String
    /// Deterministic: a repeat finds the same thing by it.
    package var tag: String
    /// The instance or backup it belongs to.
    package var ownerID: String
    package var created: Timestamp

    package init(kind: String, tag: String, ownerID: String, created: Timestamp) {
        self.kind = kind
        self.tag = tag
        self.ownerID = ownerID
        self.created = created
    }
}
