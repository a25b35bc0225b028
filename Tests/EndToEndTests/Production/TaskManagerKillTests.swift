// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// One of two task managers is ended as kill -9 does at a point of a flow; the other one ends the operation.
    @Suite("A task manager is killed", .serialized)
    struct TaskManagerKillTests {
        /// Points of every flow, in an order in which no two that follow each other are of one flow: while the survivor ends one
        /// operation, the next is begun.
        private static let drills: [Drill] = [
            Drill("create_instance/allocate/after_effect", .create("c1")),
            Drill("create_backup/stream/before_effect", .backup("b1")),
            Drill("create_instance/allocate/after_record", .restore("r1")),
            Drill("delete_instance/stop/before_effect", .delete("c1")),
            Drill("delete_backup/object/before_effect", .deleteBackup("b1")),
            Drill("create_instance/bus/after_effect", .create("c2")),
            Drill("create_instance/boot/before_effect", .restore("r2")),
            Drill("create_backup/stream/after_effect", .backup("b2")),
            Drill("delete_instance/server/after_effect", .delete("r1")),
            Drill("delete_backup/object/after_effect", .deleteBackup("b2")),
            Drill("create_instance/boot/after_effect", .create("c3")),
            Drill("create_backup/stream/after_record", .backup("b3")),
            Drill("create_instance/volume/after_effect", .restore("r3")),
            Drill("delete_instance/bus/after_effect", .delete("c2")),
            Drill("delete_backup/object/after_record", .deleteBackup("b3")),
            Drill("create_instance/prepare/before_effect", .create("c4")),
            Drill("delete_instance/volume/before_effect", .delete("r2")),
            Drill("create_instance/prepare/after_record", .restore("r4")),
            Drill("delete_instance/network/after_record", .delete("c3")),
            Drill("create_instance/prepare/after_effect", .create("c5")),
        ]

        @Test(
            "at twenty points of create, backup, restore and delete: the other one ends them all",
            .timeLimit(.minutes(15)))
        func twentyPoints() async throws {
            #expect(Set(Self.drills.map(\.point)).count == 20)
            try await RolePlane.with(environment: ["TROVE_TASKMANAGER_LEASE": "3"]) { plane in
                try await plane.start(all: ["api-1", "conductor-1", "taskmanager-steady"])
                let client = try await PlainClient.login(plane)
                let source = try await client.create("source")
                try await client.wait("/instances/\(source)", for: "ACTIVE")
                try await client.fill(source)
                let kept = try await client.backup(of: source, "kept")
                try await client.wait("/backups/\(kept)", for: "COMPLETED")

                let drilling = Drilling(plane: plane, client: client, source: source, kept: kept)
                let began = ContinuousClock.now
                let left = try await drilling.run(Self.drills)
                print("\(Self.drills.count) points were survived in \(Int(began.secondsToNow)) s")

                try await client.delete("backups", [kept])
                try await client.delete("instances", left + [source])
                let audit = try await plane.audit()
                #expect(audit == "", "\(audit)")
                #expect(plane.traps() == [])
                try await plane.stopAll()
                #expect(try ControlPlane.leftovers(of: plane.home) == [])
            }
        }
    }
}

/// A point of a flow, and the operation that passes it.
struct Drill: Sendable {
    enum Operation: Sendable {
        case create(String), restore(String), backup(String), delete(String), deleteBackup(String)
    }

    var point: String
    var operation: Operation
    var flow: String { String(point.prefix { $0 != "/" }) }

    init(_ point: String, _ operation: Operation) {
        self.point = point
        self.operation = operation
    }
}

/// Kills one task manager after the other at the points of drills, beside a steady one.
private struct Drilling {
    let plane: RolePlane
    let client: PlainClient
    let source: String
    let kept: String

    /// What was made, by its name in the drills.
    private final class Made {
        var ids: [String: String] = [:]
        /// Operations that the survivor is to end.
        var endings: [String: Task<Void, any Error>] = [:]
    }

    /// - Returns: The instances that are there at the end.
    func run(_ drills: [Drill]) async throws -> [String] {
        let made = Made()
        for (number, drill) in drills.enumerated() {
            do {
                try await kill(drill, "taskmanager-\(number + 1)", made)
            } catch {
                for ending in made.endings.values { ending.cancel() }
                throw TestFailure("\(drill.point): \(error)")
            }
        }
        for (name, ending) in made.endings {
            do { try await ending.value } catch { throw TestFailure("\(name): \(error)") }
        }
        var instances: [String] = []
        for (name, id) in made.ids where name.first != "b" {
            if try await client.call("GET", "/instances/\(id)").status == 200 { instances.append(id) }
        }
        return instances
    }

    /// Begins the operation in a task manager that ends at the point, and lets the other one end it.
    private func kill(_ drill: Drill, _ name: String, _ made: Made) async throws {
        // A subject must have been made before it can be deleted.
        if case .delete(let subject) = drill.operation { try await made.endings[subject]?.value }
        if case .deleteBackup(let subject) = drill.operation { try await made.endings[subject]?.value }
        // An earlier operation of this flow would take the new task manager to its point before the one that is meant.
        try await eventually(60, "the steady one ends earlier operations of \(drill.flow)") {
            try await plane.space.sql("SELECT COUNT(*) FROM journal WHERE live = 1 AND flow = '\(drill.flow)'") == "0"
        }
        let victim = try await plane.start(name, arguments: ["--crash-at", drill.point])
        let last = try await journal(drill.flow)?.number ?? 0
        // The steady one sees nothing while the victim claims.
        let halted = try plane.process("taskmanager-steady").workers
        for pid in halted { Glibc.kill(pid, SIGSTOP) }
        let ending: Task<Void, any Error>
        do {
            defer { for pid in halted { Glibc.kill(pid, SIGCONT) } }
            ending = try await begin(drill.operation, made)
            try await eventually(20, "\(name) claims the operation") {
                guard let row = try await journal(drill.flow), row.number > last else { return false }
                return row.owner.hasPrefix(name + "/")
            }
        }
        try await victim.waitEnd(seconds: 60)
        let row = try await journal(drill.flow)
        #expect(
            row?.owner.hasPrefix(name + "/") == true && row?.fence == 1, "\(drill.point): \(String(describing: row))")
        _ = ending
    }

    private struct JournalRow {
        var number: Int
        var owner: String
        var fence: Int
    }

    /// The newest operation of a flow.
    private func journal(_ flow: String) async throws -> JournalRow? {
        let columns = try await plane.space.sql(
            "SELECT seq, IFNULL(lease_owner, '-'), fence FROM journal WHERE flow = '\(flow)' ORDER BY seq DESC LIMIT 1"
        ).split(separator: "\t")
        guard columns.count == 3, let number = Int(columns[0]), let fence = Int(columns[2]) else { return nil }
        return JournalRow(number: number, owner: String(columns[1]), fence: fence)
    }

    /// Asks for the operation; what is returned waits for its right end.
    private func begin(_ operation: Drill.Operation, _ made: Made) async throws -> Task<Void, any Error> {
        let (client, source) = (client, source)
        let ending: Task<Void, any Error>
        let name: String
        switch operation {
        case .create(let word):
            let id = try await client.create(word)
            name = word
            made.ids[word] = id
            ending = Task {
                try await client.wait("/instances/\(id)", for: "ACTIVE")
                try await client.fill(id)
                guard try await client.sql(id, "SELECT n FROM t") == "7" else { throw TestFailure("no row in \(word)") }
            }
        case .restore(let word):
            let id = try await client.create(word, backup: kept)
            name = word
            made.ids[word] = id
            ending = Task {
                try await client.wait("/instances/\(id)", for: "ACTIVE")
                guard try await client.sql(id, "SELECT n FROM t") == "7" else { throw TestFailure("no row in \(word)") }
            }
        case .backup(let word):
            let id = try await client.backup(of: source, word)
            name = word
            made.ids[word] = id
            ending = Task { _ = try await client.wait("/backups/\(id)", for: "COMPLETED") }
        case .delete(let word), .deleteBackup(let word):
            guard let id = made.ids[word] else { throw TestFailure("no \(word)") }
            name = "delete \(word)"
            let path = word.first == "b" ? "/backups/\(id)" : "/instances/\(id)"
            try await client.must("DELETE", path)
            ending = Task { _ = try await client.wait(path, for: "GONE") }
        }
        made.endings[name] = ending
        return ending
    }
}
