// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Messaging
import Model
import Testing

@testable import GuestAgent

@Suite struct PrepareTests {
    @Test("prepare makes databases, users and root, and reports building, then healthy")
    func prepares() async throws {
        try await AgentFixture.run { fixture in
            try fixture.instance.behave("started-busy")
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.call(.ping) == true)
                #expect(try await fixture.prepare(fixture.prepareArguments(root: "r00t")))
                #expect(await fixture.conductor.statuses.first == .building)
                #expect(fixture.instance.content("data/config") == "\"size=1\"")
                #expect(fixture.instance.content("data/was-restored") == "false")
                #expect(fixture.instance.exists("data/db/first"))
                #expect(fixture.instance.content("data/users/ann@%") == "pw\nfirst\n")
                #expect(fixture.instance.content("data/root") == "r00t")
                #expect(try await eventually { await fixture.conductor.roots.count == 1 })
                #expect(fixture.instance.exists("state/prepared"))
                #expect(!fixture.instance.exists("state/prepare.json"))
                #expect(await fixture.conductor.heartbeats.last?.volumeUsedBytes == 4096)
            }
        }
    }

    @Test("a repeat joins, and after success reports again, also to the next agent")
    func repeats() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                try await fixture.guest.prepare(fixture.id, fixture.prepareArguments(), context: fixture.context)
                #expect(try await fixture.prepare())
                let before = await fixture.conductor.heartbeats.count
                try await fixture.guest.prepare(fixture.id, fixture.prepareArguments(), context: fixture.context)
                #expect(try await eventually { await fixture.conductor.heartbeats.count > before })
                #expect(fixture.instance.starts == 1)
            }
            try await fixture.withAgent { (agent: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                #expect(fixture.instance.starts == 1)
                #expect(await agent.supervisor.snapshot.state == .running)
            }
        }
    }

    @Test("heartbeats come at the interval, none before prepare")
    func beats() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                _ = try await fixture.call(.ping)
                #expect(await fixture.conductor.heartbeats.isEmpty)
                #expect(try await fixture.prepare())
                let before = await fixture.conductor.heartbeats.count
                #expect(try await eventually { await fixture.conductor.heartbeats.count >= before + 2 })
                let sent = await fixture.conductor.heartbeats.compactMap(\.sent)
                #expect(sent == sent.sorted() && Set(sent).count == sent.count)
            }
        }
    }

    @Test("a failure is reported with the plugin's name, remembered, and prepare can be asked again")
    func fails() async throws {
        try await AgentFixture.run { fixture in
            try fixture.instance.behave("prepare-fail")
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                try await fixture.guest.prepare(fixture.id, fixture.prepareArguments(), context: fixture.context)
                #expect(try await fixture.reports(.failedToSpawn))
                #expect(try await eventually { await !fixture.conductor.faults.isEmpty })
                let fault = try #require(await fixture.conductor.faults.first)
                #expect(fault.message.contains("org.example.files") && fault.message.contains("wrong colour"))
                #expect(fixture.instance.content("state/prepare.json")?.contains("pw") == false)
                await #expect(throws: MessagingError.self) { try await fixture.call(.restart) }
            }
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.reports(.failedToSpawn))
                fixture.instance.behaveNormally("prepare-fail")
                #expect(try await fixture.prepare())
            }
        }
    }

    @Test("an engine that does not start fails prepare")
    func failsWithoutEngine() async throws {
        try await AgentFixture.run { fixture in
            try fixture.instance.behave("mode", "quick")
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                try await fixture.guest.prepare(fixture.id, fixture.prepareArguments(), context: fixture.context)
                #expect(try await fixture.reports(.failedToSpawn))
                #expect(
                    try await eventually { await fixture.conductor.faults.first?.message.contains("status 3") == true })
            }
        }
    }

    @Test("an interrupted prepare goes on with the next agent", arguments: PreparationRecord.Stage.allCases)
    func resumes(_ stage: PreparationRecord.Stage) async throws {
        try await AgentFixture.run { fixture in
            let record = PreparationRecord(stateDirectory: fixture.instance.configuration.stateDirectory)
            try record.write(
                PreparationRecord.Work(arguments: fixture.prepareArguments(), context: fixture.context, stage: stage))
            if stage == .datastorePrepared {
                for name in ["db", "users"] {
                    mkdir(fixture.instance.root + "/data/" + name, 0o700)
                }
            }
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.reports(.healthy))
                #expect(fixture.instance.exists("data/db/first"))
                #expect(fixture.instance.exists("data/config") == (stage != .datastorePrepared))
            }
        }
    }

    @Test("a plugin that trapped twice in prepare is reported, not tried again")
    func refusesTrappingPlugin() async throws {
        try await AgentFixture.run { fixture in
            let state = fixture.instance.configuration.stateDirectory
            let fault = PluginFault(signal: 4, pluginID: "org.example.files")
            try PreparationRecord(stateDirectory: state).write(
                PreparationRecord.Work(arguments: fixture.prepareArguments(), context: fixture.context, stage: .begun))
            for _ in 1...2 {
                try CallMarks(stateDirectory: state, fault: fault).begin("prepare", plugin: "org.example.files")
            }
            try await fixture.withAgent(fault: fault) { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.reports(.failedToSpawn))
                #expect(
                    try await eventually {
                        await fixture.conductor.faults.first?.message.contains(
                            "plugin org.example.files crashed during prepare") == true
                    })
            }
        }
    }

    @Test("a plugin that is not there fails prepare by name")
    func namesMissingPlugin() async throws {
        try await AgentFixture.run { document in
            var document = document
            document["plugins"] = ["datastore": "org.example.absent", "directories": [.string(Built.plugins)]]
            return document
        } _: { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                try await fixture.guest.prepare(fixture.id, fixture.prepareArguments(), context: fixture.context)
                #expect(try await fixture.reports(.failedToSpawn))
                #expect(
                    try await eventually {
                        await fixture.conductor.faults.first?.message.contains("org.example.absent") == true
                    })
            }
        }
    }
}
