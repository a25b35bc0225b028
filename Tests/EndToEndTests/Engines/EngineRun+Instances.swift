// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Synchronization
import Testing

extension EngineRun {
    private var createWords: [String] {
        ["--flavor", "1", "--size", "1", "--datastore", engine.datastore, "--datastore-version", engine.version]
    }

    /// With a database and a user where the engine has them.
    func createInstance() async throws {
        var words = ["database", "instance", "create", Self.instance] + createWords
        if engine.has(.instanceCreateWithDatabases) { words += ["--databases", Self.database] }
        if engine.has(.instanceCreateWithUsers) { words += ["--users", "\(Self.clerk.user):\(Self.clerk.password)"] }
        let made = try await client.run(words + ["-f", "json"])
        #expect(made["status"] == "BUILD")
        try await active()
    }

    func createdDatabases() async throws {
        guard engine.has(.instanceCreateWithDatabases) else {
            return try await createInVain(["--databases", Self.database])
        }
        #expect(try await admits(Self.clerk, Self.database))
    }

    func createdUsers() async throws {
        guard engine.has(.instanceCreateWithUsers) else {
            return try await createInVain(["--users", "\(Self.clerk.user):\(Self.clerk.password)"])
        }
        #expect(try await admits(Self.clerk, ownDatabase))
        #expect(try await !admits(Login(user: Self.clerk.user, password: "another"), ownDatabase))
    }

    /// What an engine does not have is refused before anything is made.
    private func createInVain(_ words: [String]) async throws {
        do {
            try await client.run(["database", "instance", "create", "vain"] + createWords + words)
        } catch {
            #expect(try await column("Name", "instance", "list") == [Self.instance])
            throw error
        }
    }

    func showInstance() async throws {
        let shown = try await active()
        #expect(shown["datastore"]?.stringValue == engine.datastore)
        #expect(shown["datastore_version"]?.stringValue == engine.version)
        #expect(shown["operating_status"] == "HEALTHY")
    }

    func listInstances() async throws {
        #expect(try await column("Name", "instance", "list") == [Self.instance])
    }

    func renameInstance() async throws {
        try await database("instance", "update", Self.instance, "--name", "renamed")
        #expect(try await column("Name", "instance", "list") == ["renamed"])
        try await database("instance", "update", "renamed", "--name", Self.instance)
    }

    func restartInstance() async throws {
        let before = try await engineProcess()
        try await database("instance", "restart", Self.instance)
        try await eventually(120, "another server runs, and the instance is ACTIVE") {
            try await active()
            return try await engineProcess() != before
        }
        if engine.has(.userCreate) { #expect(try await admits(Self.clerk, ownDatabase)) }
    }

    /// The server: a child of the instance's agent.
    private func engineProcess() async throws -> pid_t? {
        let id = try #require(try await active()["id"]?.stringValue)
        let agent = try #require(plane.agent(of: id))
        return ControlPlane.descendants(of: agent).first
    }

    /// Both instances, and then there is nothing.
    func deleteInstances() async throws {
        for name in try await column("Name", "instance", "list") { try await database("instance", "delete", name) }
        try await eventually(60, "the instances are gone") { try await column("Name", "instance", "list").isEmpty }
    }

    /// A second instance of the backup, while the first one has gone on.
    func restore() async throws {
        let (backup, expected) = state.withLock { ($0.backupID, $0.content) }
        guard !backup.isEmpty else { throw noBackup }
        try await tenant().change(Self.clerk, database: writtenDatabase, at: try await address())
        let changed = try await content(Self.instance)
        #expect(changed != expected)
        try await client.run(
            ["database", "instance", "create", Self.restored] + createWords + ["--backup", backup])
        #expect(try await content(Self.restored) == expected)
        #expect(try await content(Self.instance) == changed)
        #expect(try await !admits(Login(user: Self.clerk.user, password: "another"), ownDatabase, Self.restored))
    }

    func content(_ instance: String) async throws -> String {
        try await tenant().content(Self.clerk, database: writtenDatabase, at: try await address(instance))
    }
}
