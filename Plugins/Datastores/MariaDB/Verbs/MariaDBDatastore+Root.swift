// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension MariaDBDatastore: RootAdministration {
    func enableRoot(password: String?, call: Call) throws -> (name: String, password: String) {
        let password = password ?? RandomPassword.make(length: 36)
        try Names.check(password: password)
        try administer(call) { connection in
            try connection.run(
                "CREATE OR REPLACE USER 'root'@'%' IDENTIFIED BY \(SQLText.literal(password))\(requirement)",
                "enable root")
            try connection.run("GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION", "enable root")
        }
        return ("root", password)
    }

    func disableRoot(call: Call) throws {
        try administer(call) { connection in
            _ = try connection.run("DROP USER IF EXISTS 'root'@'%'", "disable root")
        }
    }

    func isRootEnabled(call: Call) throws -> Bool {
        try administer(call) { connection in
            try !connection.run("SELECT 1 FROM mysql.user WHERE User = 'root' AND Host = '%'", "look for root").isEmpty
        }
    }
}
