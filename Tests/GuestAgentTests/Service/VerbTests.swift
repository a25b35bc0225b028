// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Messaging
import Model
import Testing

@testable import GuestAgent

@Suite struct VerbTests {
    @Test("databases are made, listed by pages and deleted")
    func databases() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                let made: JSONValue = [["_name": "b"], ["_name": "c", "_character_set": "utf8"]]
                #expect(try await fixture.call(.createDatabase, ["databases": made]) == .null)
                let page = try await fixture.call(
                    .listDatabases, ["limit": 2, "marker": .null, "include_marker": false])
                #expect(page == [[["_name": "b"], ["_name": "c"]], "c"])
                let rest = try await fixture.call(.listDatabases, ["limit": 2, "marker": "c", "include_marker": false])
                #expect(rest == [[["_name": "first"]], .null])
                _ = try await fixture.call(.deleteDatabase, ["database": ["_name": "b"]])
                #expect(!fixture.instance.exists("data/db/b"))
                await Self.expectFault("DatabaseAlreadyExists") {
                    try await fixture.call(.createDatabase, ["databases": [["_name": "taken"]]])
                }
            }
        }
    }

    @Test("who asks whether the agent is there hears of the engine, too")
    func ping() async throws {
        // By itself it would not report again for ten minutes.
        try await AgentFixture.run({ $0.merging(["report_interval_s": 600]) { $1 } }) { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                let before = await fixture.conductor.heartbeats.count
                #expect(try await fixture.call(.ping) == true)
                #expect(try await eventually { await fixture.conductor.heartbeats.count > before })
            }
        }
    }

    @Test("users are made, found, changed, granted and deleted")
    func users() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                let bob: [String: JSONValue] = ["username": "bob", "hostname": "%"]
                let user: JSONValue = ["_name": "bob", "_password": "p", "_databases": [["_name": "first"]]]
                _ = try await fixture.call(.createUser, ["users": [user]])
                #expect(
                    try await fixture.call(.getUser, bob)
                        == ["_name": "bob", "_host": "%", "_databases": [["_name": "first"]]])
                _ = try await fixture.call(.grantAccess, bob.merging(["databases": ["second"]]) { $1 })
                #expect(try await fixture.call(.listAccess, bob) == [["_name": "first"], ["_name": "second"]])
                _ = try await fixture.call(.revokeAccess, bob.merging(["database": "first"]) { $1 })
                #expect(try await fixture.call(.listAccess, bob) == [["_name": "second"]])
                _ = try await fixture.call(
                    .changePasswords, ["users": [["name": "bob", "host": "%", "password": "q"]]])
                #expect(fixture.instance.content("data/users/bob@%")?.hasPrefix("q\n") == true)
                let attributes: JSONValue = ["name": "rob", "host": "10.0.0.1"]
                _ = try await fixture.call(.updateAttributes, bob.merging(["user_attrs": attributes]) { $1 })
                #expect(try await fixture.call(.getUser, bob) == .null)
                await Self.expectFault("UserNotFound") { try await fixture.call(.listAccess, bob) }
                let list = try await fixture.call(.listUsers, ["limit": 1, "marker": .null, "include_marker": false])
                #expect(list == [[["_name": "ann", "_host": "%", "_databases": []]], "ann@%"])
                _ = try await fixture.call(.deleteUser, ["user": ["_name": "rob", "_host": "10.0.0.1"]])
                #expect(!fixture.instance.exists("data/users/rob@10.0.0.1"))
            }
        }
    }

    @Test("root is enabled with a password of its own or a given one, and reported")
    func root() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                #expect(try await fixture.call(.isRootEnabled) == false)
                let made = try await fixture.call(.enableRoot)
                #expect(made["_password"] == "made-up" && made["_is_root"] == true && made["_name"] == "root")
                let given = try await fixture.call(.enableRootWithPassword, ["root_password": "given"])
                #expect(given["_password"] == "given")
                #expect(try await fixture.call(.isRootEnabled) == true)
                #expect(try await eventually { await fixture.conductor.roots.count == 2 })
                #expect(await fixture.conductor.roots.first?.userID == "user")
                _ = try await fixture.call(.disableRoot)
                #expect(try await fixture.call(.isRootEnabled) == false)
                #expect(try await eventually { await fixture.conductor.roots.map(\.isEnabled) == [true, true, false] })
            }
        }
    }

    @Test("a stopped database stays stopped, refuses verbs, and comes back with restart")
    func stopsAndRestarts() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                _ = try await fixture.call(.stopDatabase)
                #expect(try await fixture.reports(.shutdown))
                await Self.expectFault("GuestError") { try await fixture.call(.isRootEnabled) }
            }
            try await fixture.withAgent { (agent: GuestAgentService) async throws -> Void in
                #expect(try await fixture.call(.ping) == true)
                #expect(await agent.supervisor.snapshot.state == .stopped)
                _ = try await fixture.call(.restart)
                #expect(try await fixture.reports(.healthy))
                #expect(fixture.instance.starts == 2)
                _ = try await fixture.call(.restart)
                #expect(fixture.instance.starts == 3)
            }
        }
    }

    @Test("statuses that the datastore tells are reported at once")
    func tellsBlocked() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (agent: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                try fixture.instance.behave("blocked")
                #expect(try await fixture.reports(.blocked))
                fixture.instance.behaveNormally("blocked")
                #expect(try await fixture.reports(.healthy))
                kill(try #require(await agent.supervisor.snapshot.pid), SIGKILL)
                #expect(try await eventually { await fixture.conductor.statuses.contains(.crashed) })
                #expect(try await fixture.reports(.healthy))
            }
        }
    }

    @Test("an engine that is given up is reported with a fault")
    func tellsCrash() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (agent: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                try fixture.instance.behave("mode", "quick")
                kill(try #require(await agent.supervisor.snapshot.pid), SIGKILL)
                #expect(try await eventually { await !fixture.conductor.faults.isEmpty })
                #expect(try await fixture.reports(.crashed))
                await Self.expectFault("GuestError") { try await fixture.call(.restart) }
                fixture.instance.behaveNormally("mode")
                _ = try await fixture.call(.restart)
                #expect(try await fixture.reports(.healthy))
            }
        }
    }

    @Test("the volume's numbers are those of the file system")
    func tellsVolume() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                let stats = try await fixture.guest.filesystemStats(fixture.id, context: fixture.context)
                #expect(stats.totalBlocks > 0 && stats.usedBytes > 0 && stats.availableBlocks <= stats.freeBlocks)
            }
        }
    }

    @Test("verbs before prepare and arguments that mean nothing are refused")
    func refuses() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                await Self.expectFault("GuestError") { try await fixture.call(.isRootEnabled) }
                await Self.expectFault("GuestError") { try await fixture.call(.restart) }
                #expect(try await fixture.prepare())
                await Self.expectFault("TypeError") { try await fixture.call(.createUser, ["users": "bob"]) }
                await Self.expectFault("TypeError") { try await fixture.call(.deleteUser, ["user": [:]]) }
            }
        }
    }

    static func expectFault(_ className: String, _ body: () async throws -> JSONValue) async {
        let error = await #expect(throws: MessagingError.self) { _ = try await body() }
        #expect(error?.failure?.className == className, "\(error.map(String.init(describing:)) ?? "")")
    }
}
