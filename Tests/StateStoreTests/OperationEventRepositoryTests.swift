// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import StateStore

@Suite("Events of operations")
struct OperationEventRepositoryTests {
    private func events(
        _ fixture: Fixture, after position: Int = 0, project: String? = nil, instance: String? = nil, limit: Int = 100
    ) async throws -> OperationEventPage {
        while try await fixture.store.write(.relaxed, { try $0.events.order(limit: 3) }) > 0 {}
        return try await fixture.store.read {
            try $0.events.page(after: position, projectID: project, instanceID: instance, limit: limit)
        }
    }

    @Test(
        "each record of the journal leaves one event, in order, with step, attempt, cause and duration",
        arguments: Driver.allCases)
    func life(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let start = Fixture.start
            try await fixture.journal { try $0.insert(Fixture.operation("o1", on: "i1")) }
            _ = try await fixture.claim()
            try await fixture.journal { journal in
                try journal.record(
                    "o1", fence: 1, step: "a", isDone: false, scratch: [:], attempt: 1, now: start + .seconds(1))
                try journal.postpone(
                    "o1", fence: 1, notBefore: start, error: "no room", now: start + .seconds(2))
            }
            _ = try await fixture.claim()
            try await fixture.journal { journal in
                try journal.record(
                    "o1", fence: 2, step: "a", isDone: false, scratch: [:], attempt: 2, now: start + .seconds(3))
                try journal.record(
                    "o1", fence: 2, step: "b", isDone: false, scratch: [:], attempt: 1, now: start + .seconds(5))
                try journal.record(
                    "o1", fence: 2, step: "b", isDone: true, scratch: [:], attempt: 1, now: start + .seconds(6))
                try journal.finish("o1", fence: 2, state: .done, error: nil, now: start + .seconds(7))
            }
            let found = try await events(fixture).events
            #expect(
                found.map { "\($0.kind.rawValue) \($0.step) \($0.attempt)" } == [
                    "operation_accepted  0", "step_started a 1", "step_retried a 1", "step_started a 2",
                    "step_done a 2", "step_started b 1", "step_done b 1", "operation_done b 1",
                ])
            #expect(found.map(\.position) == Array(1...8))
            #expect(found[2].cause == "no room")
            #expect(found[4].duration == .seconds(2) && found[6].duration == .seconds(1))
            #expect(found[7].duration == .seconds(7))
            #expect(Set(found.map(\.instanceID)) == ["i1"] && Set(found.map(\.requestID)) == ["req-o1"])
            let durations = try await fixture.store.read {
                try $0.events.durations(flow: "create_instance", limit: 10).map { "\($0.step) \($0.duration)" }
            }
            #expect(durations == ["b \(Duration.seconds(1))", "a \(Duration.seconds(2))"])
            #expect(try await events(fixture, project: "project-b").events.isEmpty)
            #expect(try await events(fixture, project: "project-a", instance: "i1").events.count == 8)
            #expect(try await events(fixture, instance: "i2").position == 8)
            let page = try await events(fixture, after: 2, limit: 3)
            #expect(page.events.map(\.position) == [3, 4, 5] && page.position == 5)
        }
    }

    @Test("a failure names the step and why; a record that is refused leaves no event", arguments: Driver.allCases)
    func failure(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.journal { try $0.insert(Fixture.operation("o1", on: "i1")) }
            _ = try await fixture.claim()
            await #expect(throws: (any Error).self) {
                try await fixture.journal {
                    try $0.record(
                        "o1", fence: 9, step: "a", isDone: false, scratch: [:], attempt: 1, now: Fixture.start)
                }
            }
            try await fixture.journal { journal in
                try journal.record(
                    "o1", fence: 1, step: "a", isDone: false, scratch: [:], attempt: 1, now: Fixture.start)
                try journal.finish("o1", fence: 1, state: .failed, error: "broken", now: Fixture.start)
            }
            let found = try await events(fixture).events
            #expect(
                found.map(\.kind) == [.operationAccepted, .stepStarted, .stepFailed, .operationFailed])
            #expect(found.suffix(2).allSatisfy { $0.cause == "broken" })
        }
    }

    @Test("old events go, and their positions are not given again", arguments: Driver.allCases)
    func purge(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            for number in 1...5 {
                try await fixture.journal { try $0.insert(Fixture.operation("o\(number)", on: "i", after: number)) }
            }
            #expect(try await events(fixture).events.count == 5)
            let limit = Fixture.start + .seconds(4)
            #expect(try await fixture.store.write(.relaxed) { try $0.events.purge(before: limit, limit: 2) } == 2)
            #expect(try await fixture.store.write(.relaxed) { try $0.events.purge(before: limit, limit: 9) } == 1)
            try await fixture.journal { try $0.insert(Fixture.operation("o6", on: "i")) }
            #expect(try await events(fixture).events.map(\.position) == [4, 5, 6])
            let has = try await fixture.store.read { transaction in
                try ["project-a", "project-b"].map {
                    try transaction.events.hasEvents(instanceID: "i", projectID: $0)
                }
            }
            #expect(has == [true, false])
        }
    }

    /// A transaction that has written and not committed.
    private final class Gate: Sendable {
        let hasWritten = DispatchSemaphore(value: 0)
        let mayCommit = DispatchSemaphore(value: 0)
    }

    @Test("an event that is committed late comes behind those that were seen before it")
    func lateCommit() async throws {
        try await Fixture.with(.mariadb) { fixture in
            let gate = Gate()
            async let late: Void = fixture.store.write(.relaxed) { transaction in
                try transaction.journal.insert(Fixture.operation("late", on: "i1"))
                gate.hasWritten.signal()
                gate.mayCommit.wait()
            }
            await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    gate.hasWritten.wait()
                    continuation.resume()
                }
            }
            try await fixture.journal { try $0.insert(Fixture.operation("early", on: "i2")) }
            let first = try await events(fixture)
            #expect(first.events.map(\.operationID) == ["early"])
            gate.mayCommit.signal()
            try await late
            let second = try await events(fixture, after: first.position)
            #expect(second.events.map(\.operationID) == ["late"])
            #expect(try await events(fixture).events.map(\.position) == [1, 2])
        }
    }

    @Test("two who order at once, beside many who write, give each event one place", arguments: Driver.allCases)
    func race(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            let other = try fixture.another()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        for number in 0..<15 {
                            let id = "o\(writer)-\(number)"
                            try await (writer.isMultiple(of: 2) ? fixture.store : other).write(.relaxed) {
                                try $0.journal.insert(Fixture.operation(id, on: id))
                            }
                        }
                    }
                }
                for store in [fixture.store, other] {
                    group.addTask {
                        for _ in 0..<30 { _ = try await store.write(.relaxed) { try $0.events.order(limit: 4) } }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await events(fixture).events.map(\.position) == Array(1...60))
            await other.close()
        }
    }
}
