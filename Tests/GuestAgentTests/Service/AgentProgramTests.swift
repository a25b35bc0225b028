// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Model
import Testing

@testable import GuestAgent

/// The program itself, as the compute driver starts it.
@Suite(.enabled(if: Built.hasAgent)) struct AgentProgramTests {
    /// Runs `body` with the agent's process, which is killed afterwards if it still runs.
    static func withProgram(_ fixture: AgentFixture, _ body: (Process) async throws -> Void) async throws {
        try await withProgram(fixture.instance, body)
    }

    static func withProgram(_ instance: InstanceFixture, _ body: (Process) async throws -> Void) async throws {
        let path = instance.root + "/guest.json"
        try FileAccess.writeJSON(instance.document, to: path)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Built.agent)
        process.arguments = ["--config", path]
        let log = instance.root + "/log/agent.log"
        let descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        process.standardError = handle
        try process.run()
        do {
            try await body(process)
        } catch {
            end(process, SIGKILL)
            throw error
        }
        end(process, SIGKILL)
    }

    static func end(_ process: Process, _ signal: Int32) {
        if process.isRunning { kill(process.processIdentifier, signal) }
        process.waitUntilExit()
    }

    static func pid(_ fixture: AgentFixture) throws -> Int {
        let text = try #require(fixture.instance.content("state/engine.json"))
        return try #require(try JSONValue(parsing: text)["pid"]?.intValue)
    }

    @Test("the engine outlives the agent, ended or killed, and the next one adopts it and sees its death")
    func survives() async throws {
        try await AgentFixture.run { fixture in
            var engine = 0
            try await Self.withProgram(fixture) { (process: Process) async throws -> Void in
                #expect(try await eventually { (try? await fixture.call(.ping)) == true })
                #expect(try await fixture.prepare())
                engine = try Self.pid(fixture)
                Self.end(process, SIGTERM)
                #expect(process.terminationStatus == 0 && process.terminationReason == .exit)
                #expect(kill(pid_t(engine), 0) == 0)
            }
            try await Self.withProgram(fixture) { (process: Process) async throws -> Void in
                #expect(try await eventually { (try? await fixture.call(.isRootEnabled)) == false })
                #expect(try Self.pid(fixture) == engine)
                Self.end(process, SIGKILL)
                #expect(kill(pid_t(engine), 0) == 0)
            }
            try await Self.withProgram(fixture) { (_: Process) async throws -> Void in
                #expect(try await eventually { (try? await fixture.call(.isRootEnabled)) == false })
                #expect(fixture.instance.starts == 1)
                kill(pid_t(engine), SIGKILL)
                #expect(try await eventually { fixture.instance.starts == 2 })
                #expect(try await eventually { (try? await fixture.call(.isRootEnabled)) == false })
                _ = try await fixture.call(.stopDatabase)
            }
        }
    }

    @Test("a second agent of an instance says so and ends with 0")
    func isAlone() async throws {
        try await AgentFixture.run { fixture in
            try await Self.withProgram(fixture) { (first: Process) async throws -> Void in
                #expect(try await eventually { (try? await fixture.call(.ping)) == true })
                try await Self.withProgram(fixture) { (second: Process) async throws -> Void in
                    second.waitUntilExit()
                    #expect(second.terminationStatus == 0)
                    #expect(first.isRunning)
                }
                #expect(fixture.instance.content("log/agent.log")?.contains("another agent holds") == true)
            }
        }
    }

    @Test("a plugin that traps in prepare ends the agent; the third agent reports it by name")
    func namesTrap() async throws {
        try await AgentFixture.run { fixture in
            try fixture.instance.behave("prepare-trap")
            for round in 1...2 {
                try await Self.withProgram(fixture) { (process: Process) async throws -> Void in
                    if round == 1 {
                        #expect(try await eventually { (try? await fixture.call(.ping)) == true })
                        try await fixture.guest.prepare(
                            fixture.id, fixture.prepareArguments(), context: fixture.context)
                    }
                    #expect(try await eventually { !process.isRunning })
                    #expect(process.terminationReason == .uncaughtSignal)
                }
            }
            #expect(fixture.instance.content("log/agent.log")?.contains("in plugin 'org.example.files@") == true)
            try await Self.withProgram(fixture) { (_: Process) async throws -> Void in
                #expect(try await fixture.reports(.failedToSpawn))
                #expect(
                    try await eventually {
                        await fixture.conductor.faults.first?.message.contains("crashed during prepare") == true
                    })
            }
        }
    }

    @Test("a wrong configuration is told and ends with 1, a wrong command with 64", arguments: [1, 64])
    func complains(_ status: Int32) async throws {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: Built.agent)
        process.arguments = status == 1 ? ["--config", "/nonexistent/guest.json"] : ["--dance"]
        process.standardError = pipe
        try process.run()
        let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == status)
        #expect(said.contains(status == 1 ? "/nonexistent/guest.json" : "usage:"))
    }
}
