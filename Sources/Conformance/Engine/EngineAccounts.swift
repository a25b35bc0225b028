// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// Databases, users and the superuser of a running engine.
struct EngineAccounts {
    private let group: EngineGroup

    init(_ group: EngineGroup) { self.group = group }

    /// What the plugin lists: names of databases, and users with their grants.
    func content(of instance: EngineInstance) throws -> [String] {
        var content: [String] = []
        for (name, key) in [("list_databases", "databases"), ("list_users", "users")] {
            content += try list(name, key, instance).map { item in
                let grants = (item["databases"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }.sorted()
                return "\(key) \(item["name"]?.stringValue ?? "")@\(item["host"]?.stringValue ?? "") \(grants)"
            }
        }
        return content.sorted()
    }

    /// Every page of a list; small pages, so that markers are used.
    private func list(_ name: String, _ key: String, _ instance: EngineInstance) throws -> [JSONValue] {
        var items: [JSONValue] = []
        var request: JSONValue = ["limit": 2]
        for _ in 0..<200 {
            guard let outcome = try instance.call(name, request), outcome.isOK, let page = outcome.document else {
                break
            }
            items += page[key]?.arrayValue ?? []
            guard let next = page["next"]?.stringValue else { break }
            request = ["limit": 2, "marker": .string(next)]
        }
        return items
    }

    private func names(_ name: String, _ key: String) throws -> [String] {
        guard let instance = group.instance else { throw Unusable() }
        return try list(name, key, instance).compactMap { $0["name"]?.stringValue }
    }

    /// Each verb twice, and what it must have changed.
    func check() throws {
        let step = "accounts"
        let bases = (0..<5).map { "check_base_\($0)" }
        let canCreateBases = group.table.create_databases != nil
        for base in bases { try twice("create_databases", ["databases": [["name": .string(base)]]]) }
        let listed = group.table.list_databases == nil ? [] : try names("list_databases", "databases")
        if canCreateBases, group.table.list_databases != nil, !Set(bases).isSubset(of: listed) {
            group.fail(step, "datastore.list_databases lacks databases that were made.")
        }
        guard group.table.create_users != nil else { return }
        for index in 0..<4 {
            let grants: JSONValue = canCreateBases ? [["name": "check_base_0"]] : []
            try twice(
                "create_users",
                [
                    "users": [
                        [
                            "name": .string("check_user_\(index)"), "password": .string("Pw-\(index)-" + Caller.secret),
                            "databases": grants,
                        ]
                    ]
                ])
        }
        try checkUser(step, canCreateBases)
        try twice("delete_user", ["name": "check_user_3", "host": "%"])
        if try names("list_users", "users").contains("check_user_3") {
            group.fail(step, "datastore.list_users still has a user that was deleted.")
        }
        try twice("delete_database", ["name": "check_base_4"])
    }

    private func checkUser(_ step: String, _ canCreateBases: Bool) throws {
        let user: JSONValue = ["name": "check_user_1", "host": "%"]
        if !(try names("list_users", "users").contains("check_user_1")), group.table.list_users != nil {
            group.fail(step, "datastore.list_users lacks a user that was made.")
        }
        try group.need(step, "get_user", user)
        try twice("update_user", user.adding("new_password", .string("New-" + Caller.secret)))
        if canCreateBases {
            try twice("grant_access", user.adding("databases", ["check_base_1", "check_base_2"]))
            if let view = try group.need(step, "get_user", user)?.document, group.table.grant_access != nil {
                let grants = (view["databases"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
                if !grants.contains("check_base_1") {
                    group.fail(step, "datastore.get_user lacks a database that was granted.")
                }
            }
            try twice("revoke_access", user.adding("database", "check_base_1"))
        }
        let absent = try group.instance?.call("get_user", ["name": "nobody_at_all", "host": "%"])
        if let absent, absent.status != Int32(TROVE_NOT_FOUND) {
            group.fail(step, "datastore.get_user of a user that is not there gave \(absent.text), not TROVE_NOT_FOUND.")
        }
    }

    private func twice(_ name: String, _ request: JSONValue) throws {
        let first = try group.need("accounts", name, request)
        guard let first, first.isOK else { return }
        let second = try group.instance?.call(name, request)
        if let second, !second.isOK {
            ChildReporter.shared.fail(
                "datastore.idempotent.\(name)",
                "datastore.\(name) succeeded and then failed with the same request (\(second.text)); a repeat is TROVE_OK."
            )
        }
        ChildReporter.shared.pass("datastore.idempotent.\(name)")
    }

    /// A hostile name is refused, or it is made, listed exactly as it was given, and deleted again.
    func checkNames() throws {
        for name in InputChecks.hostile {
            try checkName(
                "create_databases", ["databases": [["name": .string(name)]]], "list_databases", "databases",
                "delete_database", name)
            try checkName(
                "create_users", ["users": [["name": .string(name), "password": .string(Caller.secret)]]], "list_users",
                "users", "delete_user", name)
        }
    }

    private func checkName(
        _ create: String, _ request: JSONValue, _ list: String, _ key: String, _ delete: String, _ name: String
    ) throws {
        guard let instance = group.instance, let made = try instance.call(create, request), made.isOK else { return }
        let shown = JSONValue.string(name).serializedText.prefix(60)
        let listing: Bool = try instance.call(list, ["limit": 1]) != nil
        if listing, !(try names(list, key).contains(name)) {
            group.fail(
                "names", "datastore.\(create) took the name \(shown), and datastore.\(list) does not give it back.")
        }
        let request: JSONValue = key == "users" ? ["name": .string(name), "host": "%"] : ["name": .string(name)]
        if let gone = try instance.call(delete, request), !gone.isOK {
            group.fail("names", "datastore.\(delete) cannot delete the name \(shown) that was made (\(gone.text)).")
        }
    }

    func checkRoot() throws {
        guard group.table.enable_root != nil else {
            return ChildReporter.shared.skip("engine.root", "The datastore has no superuser to enable.")
        }
        for expected in [true, false, true] {
            if expected {
                try group.need("root", "enable_root", ["password": .string("Root-" + Caller.secret)])
            } else {
                try group.need("root", "disable_root", [:])
            }
            guard let status = try group.need("root", "root_status", [:])?.document else { continue }
            if status["enabled"]?.boolValue != expected, expected || group.table.disable_root != nil {
                group.fail(
                    "root",
                    "datastore.root_status does not say enabled: \(expected) after root was \(expected ? "enabled" : "disabled")."
                )
            }
        }
        try group.need("root", "disable_root", [:])
    }
}
