// SPDX-License-Identifier: Apache-2.0

package import Model

/// What administrators see of an instance, live or deleted, from one statement.
package struct ManagedInstance: Sendable, Hashable {
    package var summary: InstanceSummary
    /// nil when root was never enabled, or was disabled since.
    package var root: RootEnabling?

    package init(summary: InstanceSummary, root: RootEnabling?) {
        self.summary = summary
        self.root = root
    }
}

/// Who enabled root last, and when.
package struct RootEnabling: Sendable, Hashable {
    package var userID: String
    package var created: Timestamp

    package init(userID: String, created: Timestamp) {
        self.userID = userID
        self.created = created
    }
}
