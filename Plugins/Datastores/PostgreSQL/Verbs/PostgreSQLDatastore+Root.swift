// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension PostgreSQLDatastore: RootAdministration {
    func enableRoot(password: String?, call: Call) throws -> (name: String, password: String) {
        let password = password ?? RandomPassword.make(length: 36)
        try Names.check(password: password)
        try administer(call) { administration in
            let statements = try Root.enabling(password, administration.connection, call)
            try administration.run(statements.joined(separator: "; "), "enable root")
        }
        return (Root.name, password)
    }

    func disableRoot(call: Call) throws {
        try administer(call) { administration in
            guard try Root.exists(administration.connection, call) else { return }
            try administration.run(Root.disabling.joined(separator: "; "), "disable root")
        }
    }

    func isRootEnabled(call: Call) throws -> Bool {
        try administer(call) { administration in
            try !administration.run(
                "SELECT 1 FROM pg_roles WHERE rolname = \(SQLText.literal(Root.name)) AND rolcanlogin", "look for root"
            ).isEmpty
        }
    }
}
