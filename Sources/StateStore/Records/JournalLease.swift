// SPDX-License-Identifier: Apache-2.0

package import Model

/// One claim of a journal row, told apart from every earlier and later one and from the same claim renewed.
package struct JournalLease: Sendable, Hashable {
    /// The row's id.
    package var id: String
    package var fence: Int
    package var leaseExpires: Timestamp

    package init(id: String, fence: Int, leaseExpires: Timestamp) {
        self.id = id
        self.fence = fence
        self.leaseExpires = leaseExpires
    }
}
