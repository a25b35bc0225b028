// SPDX-License-Identifier: Apache-2.0

package import Model

/// Who asks, as rules see it.
///
/// Source: credentials of oslo.policy, as the reference service fills them from its request context.
package struct PolicyCredentials: Sendable, Hashable {
    package var userID: String
    package var userName: String
    package var projectID: String
    package var roles: [String]
    /// What rule `context_is_admin` said of the caller.
    package var isAdmin: Bool
    /// Ids of the domains that user and project are of; empty where there is none.
    package var userDomainID: String
    package var projectDomainID: String

    package init(
        userID: String, userName: String = "", projectID: String, roles: [String], isAdmin: Bool,
        userDomainID: String = "", projectDomainID: String = ""
    ) {
        self.userID = userID
        self.userName = userName
        self.projectID = projectID
        self.roles = roles
        self.isAdmin = isAdmin
        self.userDomainID = userDomainID
        self.projectDomainID = projectDomainID
    }

    package init(_ context: RequestContext) {
        self.init(
            userID: context.userID, userName: context.userName, projectID: context.projectID, roles: context.roles,
            isAdmin: context.isAdmin, userDomainID: context.userDomainID, projectDomainID: context.projectDomainID)
    }

    /// A credential, looked up once when a rule is read.
    enum Name: Sendable, Hashable {
        case userID, userName, projectID, isAdmin, roles, userDomainID, projectDomainID

        static let byText: [String: Name] = [
            "user_id": .userID, "user": .userID, "user_name": .userName, "project_id": .projectID,
            "project": .projectID, "tenant": .projectID, "tenant_id": .projectID, "roles": .roles,
            "is_admin": .isAdmin, "user_domain_id": .userDomainID, "user_domain": .userDomainID,
            "project_domain_id": .projectDomainID, "project_domain": .projectDomainID,
        ]
    }

    /// Whether the credential, as Python writes it, is `template` filled from `target`; of a list, whether one item is.
    func matches(_ name: Name, _ template: PolicyTemplate, _ target: PolicyTarget) -> Bool {
        switch name {
        case .userID: template.equals(userID, target)
        case .userName: template.equals(userName, target)
        case .projectID: template.equals(projectID, target)
        case .isAdmin: template.equals(isAdmin ? "True" : "False", target)
        case .userDomainID: template.equals(userDomainID, target)
        case .projectDomainID: template.equals(projectDomainID, target)
        case .roles: roles.contains { template.equals($0, target) }
        }
    }
}
