// SPDX-License-Identifier: Apache-2.0

import Model
import Policy

extension PolicyStore {
    /// Whether `context` may do `rule` to something that `owner` (a project id) owns.
    func allows(_ rule: String, _ context: RequestContext, owner: String) -> Bool {
        current.allows(rule, PolicyCredentials(context), PolicyTarget(projectID: owner))
    }

    /// Throws 403 when `allows` says no.
    func require(_ rule: String, _ context: RequestContext, owner: String) throws(APIFault) {
        guard allows(rule, context, owner: owner) else {
            throw APIFault(.policyNotAuthorized, "Policy doesn't allow \(rule) to be performed.")
        }
    }
}
