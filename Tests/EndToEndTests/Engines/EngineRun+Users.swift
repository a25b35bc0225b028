// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization
import Testing

extension EngineRun {
    private static let helper = Login(user: "helper", password: "s3cret-Helper")
    private static let ofHost = Login(user: "porter", password: "s3cret-Porter")
    private static let renamed = Login(user: "assistant", password: "s3cret-Helper")

    func createUser() async throws {
        try await database("user", "create", Self.instance, Self.helper.user, Self.helper.password)
        if !engine.has(.grantAccess) { #expect(try await admits(Self.helper)) }
    }

    func createUserOfHost() async throws {
        try await database(
            "user", "create", Self.instance, Self.ofHost.user, Self.ofHost.password, "--host", "127.0.0.9")
        #expect(try await !admits(Self.ofHost))
        try await database("user", "delete", Self.instance, Self.ofHost.user, "--host", "127.0.0.9")
    }

    func listUsers() async throws {
        #expect(try await column("Name", "user", "list", Self.instance) == [Self.clerk.user, Self.helper.user])
    }

    func showUser() async throws {
        let shown = try await database("user", "show", Self.instance, Self.clerk.user, "-f", "json")
        #expect(shown["name"]?.stringValue == Self.clerk.user && shown["host"] == "%")
        if engine.has(.grantAccess) { #expect(shown["databases"]?.text.contains(Self.database) == true) }
    }

    func grantAccess() async throws {
        if engine.has(.grantAccess) { #expect(try await !admits(Self.helper, Self.database)) }
        try await database("user", "grant", "access", Self.instance, Self.helper.user, Self.database)
        #expect(try await admits(Self.helper, Self.database))
    }

    func showAccess() async throws {
        let names = try await column("Name", "user", "show", "access", Self.instance, Self.helper.user)
        #expect(names == (engine.has(.grantAccess) ? [Self.database] : []))
    }

    func revokeAccess() async throws {
        try await database("user", "revoke", "access", Self.instance, Self.helper.user, Self.database)
        #expect(try await !admits(Self.helper, Self.database))
    }

    func renameUser() async throws {
        let (old, new) = (Self.helper.user, Self.renamed.user)
        try await database("user", "update", "attributes", Self.instance, old, "--new_name", new)
        let names = try await column("Name", "user", "list", Self.instance)
        #expect(names.contains(new) && !names.contains(old))
        if !engine.has(.grantAccess) { #expect(try await admits(Self.renamed)) }
    }

    func changePassword() async throws {
        let new = Login(user: Self.clerk.user, password: "s3cret-Change")
        try await database(
            "user", "update", "attributes", Self.instance, new.user, "--new_password", new.password)
        #expect(try await admits(new, ownDatabase))
        #expect(try await !admits(Self.clerk, ownDatabase))
        try await database(
            "user", "update", "attributes", Self.instance, new.user, "--new_password", Self.clerk.password)
    }

    func deleteUsers() async throws {
        try await database("user", "delete", Self.instance, Self.renamed.user)
        #expect(try await column("Name", "user", "list", Self.instance) == [Self.clerk.user])
        #expect(try await !admits(Self.renamed))
    }

    // MARK: Root

    func showRoot() async throws {
        let shown = try await database("root", "show", Self.instance, "-f", "json")
        #expect(shown["is_root_enabled"]?.boolValue == false)
    }

    func enableRoot() async throws {
        let enabled = try await database("root", "enable", Self.instance, "-f", "json")
        let login = Login(
            user: try #require(enabled["name"]?.stringValue), password: try #require(enabled["password"]?.stringValue))
        #expect(try await admits(login))
        state.withLock { $0.rootLogin = login }
        let shown = try await database("root", "show", Self.instance, "-f", "json")
        #expect(shown["is_root_enabled"]?.boolValue == true)
    }

    func disableRoot() async throws {
        try await database("root", "disable", Self.instance)
        #expect(try await !admits(state.withLock { $0.rootLogin }))
        // The guest's report takes it back. Source: REST contract §5.2.
        try await eventually(10, "root is not shown as enabled any more") {
            try await database("root", "show", Self.instance, "-f", "json")["is_root_enabled"]?.boolValue == false
        }
    }
}
