// SPDX-License-Identifier: Apache-2.0

package import Model

/// Who may do what, by policy rule name.
///
/// Source: REST contract §1.12; the defaults of the reference service. Rules that are not listed are `adminOrOwner`.
package struct PolicyDecision: Sendable {
    package enum Requirement: Sendable, Hashable {
        /// Anyone with a token.
        case any
        /// Administrators, and the project that owns the thing.
        case adminOrOwner
        case admin
    }

    private var requirements: [String: Requirement] = [
        "instance:reset_status": .admin,
        "backup:index:all_projects": .admin,
        "datastore:delete": .admin,
        "mgmt:plugin:index": .admin,
        "mgmt:plugin:show": .admin,
        "datastore:index": .any,
        "datastore:show": .any,
        "datastore:version_index": .any,
        "datastore:version_show": .any,
        "datastore:version_show_by_uuid": .any,
        "datastore:list_associated_flavors": .any,
        "flavor:index": .any,
        "flavor:show": .any,
    ]

    /// - Parameter overrides: Rule names whose default is replaced.
    package init(overrides: [String: Requirement] = [:]) {
        requirements.merge(overrides) { _, new in new }
    }

    /// Whether `context` may do `rule` to something that `owner` (a project id) owns.
    package func allows(_ rule: String, _ context: RequestContext, owner: String) -> Bool {
        switch requirements[rule] ?? .adminOrOwner {
        case .any: true
        case .adminOrOwner: context.isAdmin || context.projectID == owner
        case .admin: context.isAdmin
        }
    }

    /// Throws 403 when `allows` says no.
    package func require(_ rule: String, _ context: RequestContext, owner: String) throws(APIFault) {
        guard allows(rule, context, owner: owner) else {
            throw APIFault(.policyNotAuthorized, "Policy doesn't allow \(rule) to be performed.")
        }
    }
}
