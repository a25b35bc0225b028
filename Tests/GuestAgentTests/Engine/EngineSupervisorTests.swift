// SPDX-License-Identifier: Apache-2.0

import CLinux
import Foundation
import Model
import Synchronization
import TestSupport
import Testing

@testable import GuestAgent

/// Launches the small server.
final class TestLauncher: EngineLauncher {
    struct Behaviour {
        var mode = "notify"
        var startTimeout = 5.0
        var program = Built.engine
        var startedFails = false
    }

    let fixture: InstanceFixture
    let behaviour: Mutex<Behaviour>

    init(_ fixture: InstanceFixture, _ behaviour: Behaviour = Behaviour()) {
        self.fixture = fixture
        self.behaviour = Mutex(behaviour)
    }

    func launch() async throws -> LaunchDocument {
        let behaviour = behaviour.withLock { $0 }
        let configuration = fixture.configuration
        return try LaunchDocument(
            json: [
                "argv": [
                    .string(behaviour.program), .string(configuration.address), .string(String(configuration.port)),
                    .string(behaviour.mode), .string(fixture.root + "/run/starts"),
                ],
                "ready": behaviour.mode == "tcp" ? "tcp" : "notify", "stop_timeout_s": 0.2,
                "start_timeout_s": .double(behaviour.startTimeout),
            ], defaultPort: configuration.port)
    }

    func started(deadline: Deadline) async throws {
        if behaviour.withLock({ $0.startedFails }) { throw GuestAgentError(.notReady, "login fails") }
    }
}

@Suite struct EngineSupervisorTests {
    static var policy: EngineStateMachine.Policy {
        var policy = EngineStateMachine.Policy()
        policy.firstPause = .milliseconds(10)
        policy.limit = 3
        return policy
    }

    struct Setup {
        let fixture: InstanceFixture
        let launcher: TestLauncher

        func supervisor() -> EngineSupervisor {
            EngineSupervisor(
                configuration: fixture.configuration, launcher: launcher, logger: InstanceFixture.quiet,
                policy: EngineSupervisorTests.policy, onChange: { _ in })
        }
    }

    static func withSetup(
        _ behaviour: TestLauncher.Behaviour = .init(),
        _ change: @escaping ([String: JSONValue]) -> [String: JSONValue] = { $0 }, _ body: (Setup) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { root in
            let fixture = try InstanceFixture(root: root, change: change)
            defer { fixture.endEngine() }
            try await body(Setup(fixture: fixture, launcher: TestLauncher(fixture, behaviour)))
        }
    }

    @Test("an engine starts, is written down, and stops for good", arguments: ["notify", "tcp"])
    func startsAndStops(_ mode: String) async throws {
        try await Self.withSetup(.init(mode: mode)) { setup in
            let supervisor = setup.supervisor()
            try await supervisor.start(deadline: .after(.seconds(20)))
            let snapshot = await supervisor.snapshot
            #expect(snapshot.state == .running)
            guard case .launched(let record) = try supervisor.recordFile.read() else {
                Issue.record("no record")
                return
            }
            #expect(record.pid == snapshot.pid && record.isReady && record.isAlive)
            try await supervisor.start(deadline: .after(.seconds(20)))
            #expect(setup.fixture.starts == 1)

            try await supervisor.stop(deadline: .after(.seconds(20)))
            #expect(!record.isAlive)
            #expect(await supervisor.snapshot.lastExit == .signal(15))
            #expect(try supervisor.recordFile.read() == .none)
            await supervisor.release()
            let next = setup.supervisor()
            try await next.resume()
            #expect(await next.snapshot.state == .stopped)
        }
    }

    @Test("a restart makes a new process")
    func restarts() async throws {
        try await Self.withSetup { setup in
            let supervisor = setup.supervisor()
            try await supervisor.start(deadline: .after(.seconds(20)))
            let first = await supervisor.snapshot.pid
            try await supervisor.restart(deadline: .after(.seconds(20)))
            let second = await supervisor.snapshot.pid
            #expect(first != second && second != nil)
            #expect(setup.fixture.starts == 2)
            await supervisor.release()
        }
    }

    @Test("an engine that dies is started again at once, with its death told")
    func restartsAfterDeath() async throws {
        try await Self.withSetup { setup in
            let supervisor = setup.supervisor()
            try await supervisor.start(deadline: .after(.seconds(20)))
            let first = try #require(await supervisor.snapshot.pid)
            kill(first, SIGKILL)
            #expect(
                try await eventually {
                    let snapshot = await supervisor.snapshot
                    return snapshot.state == .running && snapshot.pid != first
                })
            await supervisor.release()
        }
    }

    @Test("an engine that ends at once is given up, and goes on when asked")
    func givesUp() async throws {
        try await Self.withSetup(.init(mode: "quick")) { setup in
            let supervisor = setup.supervisor()
            let error = await #expect(throws: GuestAgentError.self) {
                try await supervisor.start(deadline: .after(.seconds(20)))
            }
            #expect(error?.code == .engineFailed)
            #expect(error?.message.contains("ended with status 3") == true)
            #expect(await supervisor.snapshot.state == .crashed)
            #expect(setup.fixture.starts == 3)
            setup.launcher.behaviour.withLock { $0.mode = "notify" }
            try await supervisor.restart(deadline: .after(.seconds(20)))
            #expect(await supervisor.snapshot.state == .running)
            await supervisor.release()
        }
    }

    @Test("a program that cannot be started is named")
    func namesMissingProgram() async throws {
        try await Self.withSetup(.init(program: "/nonexistent/engine")) { setup in
            let supervisor = setup.supervisor()
            let error = await #expect(throws: GuestAgentError.self) {
                try await supervisor.start(deadline: .after(.seconds(20)))
            }
            #expect(error?.message.contains("/nonexistent/engine") == true)
            await supervisor.release()
        }
    }

    @Test("an engine that never becomes ready is ended and tried again")
    func endsSilentEngine() async throws {
        try await Self.withSetup(.init(mode: "silent", startTimeout: 0.1)) { setup in
            let supervisor = setup.supervisor()
            let error = await #expect(throws: GuestAgentError.self) {
                try await supervisor.start(deadline: .after(.seconds(20)))
            }
            #expect(error?.message.contains("not ready in time") == true)
            #expect(setup.fixture.starts == 3)
            await supervisor.release()
        }
    }

    @Test("an engine that the datastore cannot use is ended")
    func endsUnusableEngine() async throws {
        try await Self.withSetup(.init(startedFails: true)) { setup in
            let supervisor = setup.supervisor()
            let error = await #expect(throws: GuestAgentError.self) {
                try await supervisor.start(deadline: .after(.seconds(20)))
            }
            #expect(error?.message.contains("login fails") == true)
            await supervisor.release()
        }
    }

    @Test("an engine that ignores its signal is killed after the deadline")
    func killsStubbornEngine() async throws {
        try await Self.withSetup(.init(mode: "stubborn")) { setup in
            let supervisor = setup.supervisor()
            try await supervisor.start(deadline: .after(.seconds(20)))
            try await supervisor.stop(deadline: .after(.seconds(20)))
            #expect(await supervisor.snapshot.lastExit == .signal(9))
            await supervisor.release()
        }
    }

    @Test("the engine survives its supervisor and is adopted by the next")
    func adopts() async throws {
        try await Self.withSetup { setup in
            let first = setup.supervisor()
            try await first.start(deadline: .after(.seconds(20)))
            let pid = await first.snapshot.pid
            await first.release()

            let second = setup.supervisor()
            try await second.resume()
            #expect(await second.snapshot == EngineSnapshot(state: .running, pid: pid))
            #expect(setup.fixture.starts == 1)
            try await second.stop(deadline: .after(.seconds(20)))
            #expect(await second.snapshot.state == .stopped)
            await second.release()
        }
    }

    @Test("an adopted engine that was not ready is asked")
    func confirmsAdopted() async throws {
        try await Self.withSetup { setup in
            let first = setup.supervisor()
            try await first.start(deadline: .after(.seconds(20)))
            guard case .launched(var record) = try first.recordFile.read() else { return }
            await first.release()
            record.isReady = false
            try first.recordFile.write(record)

            let second = setup.supervisor()
            try await second.resume()
            #expect(try await eventually { await second.snapshot.state == .running })
            #expect(setup.fixture.starts == 1)
            await second.release()
        }
    }

    @Test("an engine that died unwatched, or of another boot, is started anew", arguments: [true, false])
    func startsAfterUnwatchedDeath(_ otherBoot: Bool) async throws {
        try await Self.withSetup { setup in
            let first = setup.supervisor()
            try await first.start(deadline: .after(.seconds(20)))
            guard case .launched(var record) = try first.recordFile.read() else { return }
            await first.release()
            kill(record.pid, SIGKILL)
            var status: Int32 = 0
            waitpid(record.pid, &status, 0)
            if otherBoot { record.pid = getpid() }
            record.bootID = otherBoot ? "another" : record.bootID
            try first.recordFile.write(record)

            let second = setup.supervisor()
            try await second.resume()
            #expect(try await eventually { await second.snapshot.state == .running })
            #expect(setup.fixture.starts == 2)
            await second.release()
        }
    }

    @Test("a process that no agent wrote down is ended")
    func endsOrphans() async throws {
        try await Self.withSetup { setup in
            let first = setup.supervisor()
            try await first.start(deadline: .after(.seconds(20)))
            let pid = try #require(await first.snapshot.pid)
            await first.release()
            try first.recordFile.writeLaunching()

            let second = setup.supervisor()
            try await second.resume()
            #expect(try await eventually { await second.snapshot.state == .running })
            #expect(await second.snapshot.pid != pid)
            #expect(setup.fixture.starts == 2)
            await second.release()
        }
    }

    @Test("a kill for lack of memory is told from an operator's")
    func tellsMemoryKill() async throws {
        try await Self.withSetup(.init()) { document in
            var document = document
            document["oom"] = [.string((document["state_dir"]?.stringValue ?? "") + "/events")]
            return document
        } _: { setup in
            let events = setup.fixture.root + "/state/events"
            try "oom_kill 1\n".write(toFile: events, atomically: true, encoding: .utf8)
            setup.launcher.behaviour.withLock { $0.mode = "notify" }
            let supervisor = setup.supervisor()
            try await supervisor.start(deadline: .after(.seconds(20)))
            let pid = try #require(await supervisor.snapshot.pid)
            setup.launcher.behaviour.withLock { $0.program = "/nonexistent/engine" }
            try "oom_kill 2\n".write(toFile: events, atomically: true, encoding: .utf8)
            kill(pid, SIGKILL)
            #expect(try await eventually { await supervisor.snapshot.lastExit == .outOfMemory })
            await supervisor.release()
        }
    }

    @Test("what the engine prints goes to its log")
    func keepsOutput() async throws {
        try await Self.withSetup(.init(mode: "noisy")) { setup in
            let supervisor = setup.supervisor()
            try await supervisor.start(deadline: .after(.seconds(20)))
            #expect(
                try await eventually {
                    setup.fixture.content("log/engine.log")?.split(separator: "\n").count == 1000
                })
            let attributes = try FileManager.default.attributesOfItem(atPath: setup.fixture.root + "/log/engine.log")
            #expect(attributes[.posixPermissions] as? Int == 0o640)
            await supervisor.release()
        }
    }

    @Test("the engine runs as its own uid and can say that it is ready", .enabled(if: geteuid() == 0))
    func dropsIDs() async throws {
        try await Self.withSetup(.init()) { document in
            var document = document
            (document["uid"], document["gid"], document["set_ids"]) = (64_123, 64_123, true)
            return document
        } _: { setup in
            let supervisor = setup.supervisor()
            try await supervisor.start(deadline: .after(.seconds(20)))
            #expect(setup.fixture.content("run/starts")?.contains(" 64123\n") == true)
            await supervisor.release()
        }
    }
}
