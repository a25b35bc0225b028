// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Names that tenants neither see nor make, by datastore. Source: REST contract §4 and §5.1.
struct Reserved {
    let databases: [String]
    let users: [String]

    init(datastore: String) {
        switch datastore.lowercased() {
        case "mysql":
            databases = ["mysql", "information_schema", "performance_schema", "sys"]
            users = ["os_admin", "root"]
        case "postgresql":
            databases = ["os_admin", "postgres"]
            users = ["os_admin", "postgres"]
        default:
            databases = ["mysql", "information_schema", "performance_schema"]
            users = ["os_admin", "root"]
        }
    }

    /// Throws 400 for a reserved database.
    func check(database name: String, prefix: String = "") throws {
        guard databases.contains(name.lowercased()) else { return }
        throw Faults.badRequest("\(prefix)Database name \"\(name)\" is on the reserved list: \(Self.list(databases)).")
    }

    /// Throws 400 for a reserved user. `action`: `create`, `show`, `delete` or `update`.
    func check(user name: String, action: String) throws {
        guard users.contains(name) else { return }
        throw Faults.badRequest(
            "User \(action) error: User name \"\(name)\" is on the reserved list: \(Self.list(users)).")
    }

    private static func list(_ names: [String]) -> String { Python.text(.array(names.map(JSON.string))) }
}
