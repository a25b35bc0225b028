// SPDX-License-Identifier: Apache-2.0

package import Model

/// Who does, for now, what only one process may do. One row of `leases`.
package struct LeaseRecord: Sendable, Hashable {
    /// What is leased, e.g. `reaper` or `taskmanager/host-1`.
    package var name: String
    package var owner: String
    /// Grows with every change of owner.
    package var fence: Int
    /// By the database's clock; in the past when the owner stopped without a word.
    package var expires: Timestamp

    package init(name: String, owner: String, fence: Int, expires: Timestamp) {
        self.name = name
        self.owner = owner
        self.fence = fence
        self.expires = expires
    }
}
