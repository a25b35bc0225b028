// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Two processes of each role; one of them is ended as kill -9 does in the middle of a create and a backup.
    @Suite("A process of a role is killed", .serialized)
    struct RoleKillTests {
        @Test("nothing accepted is lost, and a new connection is answered at once", .timeLimit(.minutes(15)))
        func everyRole() async throws {
            try await RolePlane.with(
                environment: [
                    "TROVE_TASKMANAGER_LEASE": "3", "TROVE_API_WORKERS": "2", "TROVE_GUEST_REPORT_INTERVAL": "2",
                ]
            ) { plane in
                try await plane.start(all: [
                    "api-1", "api-2", "conductor-1", "conductor-2", "taskmanager-1", "taskmanager-2",
                ])
                let client = try await PlainClient.login(plane)
                let source = try await client.create("source")
                try await client.wait("/instances/\(source)", for: "ACTIVE")
                try await client.fill(source)
                let drilled = KilledInTheMiddle(plane: plane, client: client, source: source)
                try await drilled.during("the API's supervisor") { _ in
                    let api = try plane.process("api-1")
                    let workers = api.family
                    kill(api.pid, SIGKILL)
                    try await eventually(60, "the workers end with their parent") {
                        workers.allSatisfy { kill($0, 0) != 0 }
                    }
                    try await plane.start("api-1")
                }
                try await drilled.during("an API worker") { _ in
                    let worker = try #require(try plane.process("api-2").workers.first)
                    kill(worker, SIGKILL)
                }
                try await drilled.during("a conductor") { _ in
                    try await plane.process("conductor-1").kill9()
                    // Longer than a create takes: the other one hears the reports.
                }
                try await plane.start("conductor-1")
                try await drilled.during("the agents") { made in
                    for id in [made, source] {
                        try await eventually(30, "the agent of \(id) is there") { drilled.agent(of: id) != nil }
                        if let agent = drilled.agent(of: id) { kill(agent, SIGKILL) }
                    }
                }
                try await drilled.during("every plugin runner") { _ in
                    let runners = ControlPlane.processes(mentioning: "plugin-runner").filter { process in
                        drilled.parents.contains { ControlPlane.descendants(of: $0).contains(process.pid) }
                    }
                    #expect(runners.count >= 8, "each worker has one")
                    for runner in runners { kill(runner.pid, SIGKILL) }
                }
                try await drilled.during("a task manager") { _ in
                    try await plane.process("taskmanager-1").kill9()
                }
                try await client.delete("instances", [source])
                let audit = try await plane.audit()
                #expect(audit == "", "\(audit)")
                #expect(plane.traps() == [])
                try await plane.stopAll()
                #expect(try ControlPlane.leftovers(of: plane.home) == [])
            }
        }
    }
}

/// A create and a backup that something is killed in the middle of.
private struct KilledInTheMiddle {
    let plane: RolePlane
    let client: PlainClient
    let source: String

    func during(_ what: String, kill: (_ made: String) async throws -> Void) async throws {
        do {
            let began = ContinuousClock.now
            let made = try await client.create("made")
            let backup = try await client.backup(of: source, "kept")
            try await eventually(30, "both have been begun") {
                let steps = try await plane.space.sql("SELECT COUNT(*) FROM journal WHERE live = 1 AND step <> ''")
                return (Int(steps) ?? 0) >= 2
            }
            async let answered: Void = answersAtOnce(after: what)
            try await kill(made)
            try await answered
            try await client.wait("/backups/\(backup)", for: "COMPLETED")
            try await client.wait("/instances/\(made)", for: "ACTIVE")
            try await client.fill(made)
            try await client.delete("backups", [backup])
            try await client.delete("instances", [made])
            print("\(what) was killed: all is done after \(String(format: "%.1f", began.secondsToNow)) s")
        } catch {
            throw TestFailure("\(what) was killed: \(error)")
        }
    }

    /// New connections for two seconds, from before the end on: each is answered, and soon.
    private func answersAtOnce(after what: String) async throws {
        let began = ContinuousClock.now
        var slowest = 0.0
        var lost = 0
        while began.secondsToNow < 2 {
            let answer = try await client.call("GET", "/instances")
            // A request that the killed process had begun has no answer; the next connection must have one.
            if answer.status == 0 { lost += 1 } else { #expect(answer.status == 200, "\(what): \(answer)") }
            slowest = max(slowest, answer.seconds)
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(lost <= 2, "\(what): \(lost) connections without an answer")
        #expect(slowest < 5, "\(what): an answer took \(slowest) s")
    }

    var parents: [pid_t] {
        ["api-1", "api-2", "conductor-1", "conductor-2", "taskmanager-1", "taskmanager-2"]
            .compactMap { try? plane.process($0).pid }
    }

    func agent(of id: String) -> pid_t? {
        ControlPlane.processes(mentioning: id).first { process in
            process.arguments.first?.hasSuffix("/trove-guest") == true
                && process.arguments.contains { $0.hasPrefix(plane.home) && $0.contains(id) }
        }?.pid
    }
}
