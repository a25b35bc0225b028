// SPDX-License-Identifier: Apache-2.0

package import Model

/// Who asks, as rules see it.
///
/// Source: credentials of oslo.policy, as the reference service fills them.
package struct PolicyCredentials: Sendable, Hashable {
    package var userID: String
    package var projectID: String
    package var roles: [String]
    package var isAdmin: Bool

    package init(userID: String, projectID: String, roles: [String], isAdmin: Bool) {
        self.userID = userID
        self.projectID = projectID
        self.roles = roles
        self.isAdmin = isAdmin
    }

    package init(_ context: RequestContext) {
        self.init(
            userID: context.userID, projectID: context.projectID, roles: context.roles, isAdmin: context.isAdmin)
    }
}
