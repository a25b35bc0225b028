// SPDX-License-Identifier: Apache-2.0

package import Model

/// A guest's own account at the message broker.
package struct GuestAccount: Sendable {
    /// The account's name, one per instance.
    package var user: String
    package var password: Secret

    package init(user: String, password: Secret) {
        self.user = user
        self.password = password
    }
}
