// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

extension APICall {
    /// Throws 401 unless the caller is an administrator: a hard check, which no policy rule changes.
    ///
    /// Source: REST contract §1.10, management handlers.
    func requireAdministrator() throws(APIFault) {
        guard context.isAdmin else { throw APIFault(.forbidden, "User does not have admin privileges.") }
    }

    /// The live instance of any project, or 404.
    func managedInstance(_ id: String, _ transaction: any StateTransaction) throws -> InstanceSummary {
        guard let summary = try transaction.instances.summary(id) else { throw APIFault.missing(id) }
        return summary
    }
}
