// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Synchronization
import Testing

/// One engine's control plane with one instance, and what came of each verb.
final class EngineRun: Sendable {
    /// What the client was told.
    enum Outcome: Sendable {
        case works
        case refused(status: Int, message: String)
        /// What the verb would be about cannot be made.
        case pointless
    }

    struct State: Sendable {
        var outcomes: [EngineVerb: Outcome] = [:]
        var backupID = ""
        var rootLogin = Login(user: "", password: "")
        /// What the tenant had when the backup was made.
        var content = ""
    }

    /// The engine whose suite runs.
    @TaskLocal static var current: EngineRun?

    /// Of every engine: the instance's name, the tenant's database and user.
    static let (instance, restored, database) = ("first", "second", "shop")
    static let clerk = Login(user: "clerk", password: "s3cret-Clerk")

    let engine: EngineUnderTest
    let plane: ControlPlane
    let client: ClientSession
    let state = Mutex(State())

    init(_ engine: EngineUnderTest, _ plane: ControlPlane) throws {
        self.engine = engine
        self.plane = plane
        client = try ClientSession(plane)
    }

    /// Runs `openstack database …`.
    @discardableResult
    func database(_ words: String...) async throws -> JSONValue { try await client.run(["database"] + words) }

    /// Does the verb and compares what comes of it with what must come of it.
    func perform(_ verb: EngineVerb) async throws {
        guard verb == .instanceCreate || state.withLock({ $0.outcomes[.instanceCreate] != nil }) else {
            try Test.cancel("there is no instance")
        }
        guard verb.premise.map(engine.has) ?? true else {
            return state.withLock { $0.outcomes[verb] = .pointless }
        }
        do {
            try await verb.perform(self)
            state.withLock { $0.outcomes[verb] = .works }
            #expect(engine.has(verb), "\(engine.datastore) has no '\(verb.rawValue)', and the client was not told")
        } catch let refusal as ClientSession.Refusal {
            guard let status = refusal.status, refusal.command.hasPrefix("database \(verb.command) ") else {
                throw refusal
            }
            state.withLock { $0.outcomes[verb] = .refused(status: status, message: refusal.message) }
            guard let expected = engine.refused[verb] else { throw refusal }
            #expect(status == expected, "\(refusal)")
            if status == 501 {
                #expect(
                    refusal.message.contains("operation is not supported for the '\(engine.datastore)' datastore."),
                    "\(refusal)")
            }
            try await checkInstance()
        }
    }

    /// A refusal leaves the instance as it was.
    private func checkInstance() async throws {
        let shown = try await database("instance", "show", Self.instance, "-f", "json")
        #expect(shown["status"] == "ACTIVE")
    }

    /// Nothing is left: not in the ledger, and not on the host after the home is purged.
    func end() async throws {
        if state.withLock({ $0.outcomes.count < EngineVerb.allCases.count }) {
            print("--- log of the control plane of \(engine.datastore) ---\n\(plane.logTail(80))")
        }
        let audit = try await plane.trove(["audit"])
        #expect(audit.status == 0, "\(engine.datastore): \(audit.output)\(audit.errors)")
        try await plane.stop()
        let purge = try await plane.trove(["purge", "--yes"])
        #expect(purge.status == 0, "\(purge.errors)")
        #expect(try plane.leftovers().isEmpty)
        CapabilityRecord.keep(self)
    }

    // MARK: What several verbs need

    /// The instance as the client shows it, once it is ACTIVE.
    @discardableResult
    func active(_ name: String = EngineRun.instance) async throws -> JSONValue {
        var last: JSONValue = .null
        try await eventually(180, "\(name) is ACTIVE") {
            last = try await database("instance", "show", name, "-f", "json")
            if last["status"] == "ERROR" { throw TestFailure("\(name) is in ERROR: \(last.text)") }
            return last["status"] == "ACTIVE"
        }
        return last
    }

    func address(_ name: String = EngineRun.instance) async throws -> String { try SQL.address(try await active(name)) }

    /// Members `column` of what a list command prints.
    func column(_ column: String, _ words: String...) async throws -> [String] {
        let list = try await client.run(["database"] + words + ["-f", "json"])
        return (list.arrayValue ?? []).compactMap { $0[column]?.stringValue }.sorted()
    }

    /// The engine's own client.
    func tenant() throws -> any EngineClient { try #require(engine.client) }

    func admits(_ login: Login, _ database: String? = nil, _ instance: String = EngineRun.instance) async throws -> Bool
    {
        try await tenant().admits(login, database: database, at: try await address(instance))
    }

    /// The database that `clerk` logs in to, where access is by database.
    var ownDatabase: String? { engine.has(.grantAccess) ? Self.database : nil }

    /// The database in which `clerk` writes; where none can be made one that is there.
    var writtenDatabase: String { engine.has(.databaseCreate) ? Self.database : engine.ownDatabases.first ?? "" }
}
