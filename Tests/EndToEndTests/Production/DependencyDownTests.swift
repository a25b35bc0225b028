// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

extension EndToEnd {
    /// Database, broker and Keystone go away and come back: what needs them is refused meanwhile, what was accepted ends right.
    @Suite("A dependency is down", .serialized)
    struct DependencyDownTests {
        @Test(
            "calls get 503 with Retry-After, accepted work ends, all resumes within five seconds",
            .timeLimit(.minutes(15)))
        func everyDependency() async throws {
            let environment = [
                "TROVE_TASKMANAGER_LEASE": "3", "TROVE_IDENTITY_CACHE_SECONDS": "60",
                "TROVE_GUEST_REPORT_INTERVAL": "2",
            ]
            try await RolePlane.with(environment: environment) { plane in
                try await plane.start(all: ["api-1", "conductor-1", "taskmanager-1"])
                let client = try await PlainClient.login(plane)
                let source = try await client.create("source")
                try await client.wait("/instances/\(source)", for: "ACTIVE")
                try await client.fill(source)
                let outage = Outage(plane: plane, client: client, source: source)
                try await outage.databaseKilled()
                try await outage.databaseReadOnly()
                try await outage.connectionsClosed()
                try await outage.queuesDeleted()
                try await outage.brokerKilled()
                try await outage.keystoneKilled()
                try await outage.sameName()
                try await PlainClient.login(plane).delete("instances", [source])
                let audit = try await plane.audit()
                #expect(audit == "", "\(audit)")
                #expect(plane.traps() == [])
                try await plane.stopAll()
                #expect(try ControlPlane.leftovers(of: plane.home) == [])
            }
        }
    }
}

/// Outages of one plane, one after the other, each with a create and a backup in the middle of it.
private struct Outage {
    /// How long everything may take to go on.
    private static let resumed = 5.0
    /// Long enough that pauses between attempts have grown to their longest.
    private static let absence = Duration.seconds(6)

    let plane: RolePlane
    let client: PlainClient
    let source: String
    private var nodes: Nodes { plane.space.nodes }
    private var guestPath: String { "/instances/\(source)/databases" }

    func databaseKilled() async throws {
        try await during("MariaDB was killed") {
            try nodes.kill(.mariadb)
            let slowest = try await refusals([
                ("GET", "/instances", nil), ("GET", "/instances/\(source)", nil), ("GET", guestPath, nil),
                ("POST", "/instances", RESTClient.createBody(name: "refused")), ("DELETE", "/instances/\(source)", nil),
            ])
            try await Task.sleep(for: Self.absence)
            try nodes.start(.mariadb)
            return (slowest, try await resumes("/instances"))
        }
    }

    func databaseReadOnly() async throws {
        try await during("MariaDB was read-only") {
            _ = try await plane.space.sql("SET GLOBAL read_only = 1")
            let slowest: Double
            do {
                slowest = try await refusals([
                    ("POST", "/instances", RESTClient.createBody(name: "refused")),
                    ("DELETE", "/instances/\(source)", nil),
                ])
                try await Task.sleep(for: Self.absence)
            } catch {
                // The nodes are shared.
                _ = try? await plane.space.sql("SET GLOBAL read_only = 0")
                throw error
            }
            _ = try await plane.space.sql("SET GLOBAL read_only = 0")
            return (slowest, try await resumes("/instances"))
        }
    }

    func brokerKilled() async throws {
        try await during("RabbitMQ was killed") {
            try nodes.kill(.rabbitmq)
            try await client.must("GET", "/instances")
            let slowest = try await refusals([("GET", guestPath, nil)])
            try await Task.sleep(for: Self.absence)
            try nodes.start(.rabbitmq)
            return (slowest, try await resumes(guestPath))
        }
    }

    /// Of one role after the other; nothing is away for long enough to be told.
    func connectionsClosed() async throws {
        for role in ["api-1", "conductor-1", "taskmanager-1"] {
            let pids = try plane.process(role).family
            var connections: [String] = []
            try await eventually(15, "the broker lists the connections of \(role)") {
                connections = try await plane.space.connections(of: pids)
                return !connections.isEmpty
            }
            try await during("the connections of \(role) were closed") { [connections] in
                for name in connections { try await plane.space.close(connection: name) }
                return (0, try await resumes(guestPath))
            }
        }
    }

    func queuesDeleted() async throws {
        try await during("every queue was deleted") {
            let queues = try await plane.space.queues()
            #expect(queues.contains("taskmanager") && queues.contains("trove-conductor"), "\(queues)")
            for queue in queues {
                _ = try? await plane.space.broker("DELETE", "/queues/\(plane.space.virtualHost)/\(queue)")
            }
            return (0, try await resumes(guestPath))
        }
    }

    func keystoneKilled() async throws {
        let fresh = try await PlainClient.login(plane)
        try await client.must("GET", "/instances")
        try await during("Keystone was killed") {
            try nodes.kill(.keystone)
            // Its token has been seen.
            try await client.must("GET", "/instances")
            let answer = try await fresh.call("GET", "/instances")
            #expect(answer.status == 503 && answer.retryAfter != nil, "\(answer)")
            try await Task.sleep(for: Self.absence)
            try nodes.start(.keystone)
            let seconds = try await resumes("/instances", with: fresh)
            return (answer.seconds, seconds)
        }
    }

    /// A second task manager of a name waits and says so, and takes over when the first one is killed.
    func sameName() async throws {
        let second = try await plane.start("taskmanager-2", environment: ["TROVE_TASKMANAGER_NAME": "taskmanager-1"])
        try await eventually(10, "the second one says that it waits") {
            second.log.contains("another task manager has this one's name")
        }
        try await during("the first of two task managers of one name was killed") {
            try await plane.process("taskmanager-1").kill9()
            return (0, 0)
        }
        try await plane.start("taskmanager-1", environment: ["TROVE_TASKMANAGER_NAME": "taskmanager-3"])
    }

    // MARK: Steps of each

    /// Runs `fault` when a create and a backup have been begun, and waits for the right end of both.
    ///
    /// - Parameter fault: Returns the time of the slowest refusal, and that until everything went on.
    private func during(_ what: String, _ fault: () async throws -> (slowest: Double, resumed: Double)) async throws {
        do {
            let made = try await client.create("made")
            let backup = try await client.backup(of: source, "kept")
            try await eventually(30, "both have been begun") {
                let steps = try await plane.space.sql("SELECT COUNT(*) FROM journal WHERE live = 1 AND step <> ''")
                return (Int(steps) ?? 0) >= 2
            }
            let (slowest, resumed) = try await fault()
            let began = ContinuousClock.now
            try await client.wait("/backups/\(backup)", for: "COMPLETED")
            try await client.wait("/instances/\(made)", for: "ACTIVE")
            try await client.fill(made)
            let ended = began.secondsToNow
            #expect(resumed < Self.resumed, "\(what): calls succeeded only after \(resumed) s")
            try await client.delete("backups", [backup])
            try await client.delete("instances", [made])
            print(
                String(
                    format: "refused within %.1f s, resumed after %.1f s, create and backup done after %.1f s: ",
                    slowest,
                    resumed, ended) + what)
        } catch {
            throw TestFailure("\(what): \(error)")
        }
    }

    private func refusals(_ calls: [(String, String, JSONValue?)]) async throws -> Double {
        var slowest = 0.0
        for (method, path, body) in calls {
            // What was on its way is answered as it was; the next call finds out.
            slowest = max(slowest, try await client.refused(method, path, body))
        }
        return slowest
    }

    /// Time from now until the last call that fails; twelve in a row must succeed.
    private func resumes(_ path: String, with other: PlainClient? = nil) async throws -> Double {
        let (began, client) = (ContinuousClock.now, other ?? client)
        var (succeeded, failed) = (0, 0.0)
        while succeeded < 12 {
            let answer = try await client.call("GET", path)
            succeeded = answer.status == 200 ? succeeded + 1 : 0
            if succeeded == 0 {
                failed = began.secondsToNow
                guard failed < 60 else { throw TestFailure("GET \(path) after a minute: \(answer)") }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        return failed
    }
}
