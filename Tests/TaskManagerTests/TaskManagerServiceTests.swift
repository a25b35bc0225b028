// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Model
import StateStore
import TaskManager
import TestSupport
import Testing

@Suite("TaskManagerService")
struct TaskManagerServiceTests {
    /// A log that a test reads.
    private struct Kept: LogHandler {
        let trace: Trace
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { trace.add("\(event.level): \(event.message)") }
    }

    private func owners(_ crew: Crew) async throws -> [String: String] {
        let leases = try await crew.store.read { try $0.leases.all() }
        return Dictionary(leases.map { ($0.name, $0.owner) }) { $1 }
    }

    @Test(
        "of two with one name the second says so, waits, and takes over when the first has gone",
        .timeLimit(.minutes(1)))
    func oneName() async throws {
        let crew = try Crew(bus: CountingBus())
        let trace = Trace()
        let first = crew.services("a", store: crew.store, incarnation: "1", lease: .seconds(600))
        let second = crew.services("a", store: crew.store, incarnation: "2", lease: .seconds(600))
        let one = Task {
            try await TaskManagerService(services: first, hostName: "a", logger: Crew.logger).run()
        }
        while try await owners(crew).count < 4 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(
            try await owners(crew) == [
                "taskmanager/a": "a/1", "reaper": "a/1", "keeper/any": "a/1", "templates/any": "a/1",
            ])
        let two = Task {
            let logger = Logger(label: "test") { _ in Kept(trace: trace) }
            try await TaskManagerService(services: second, hostName: "a", logger: logger).run()
        }
        let sentence = "error: another task manager has this one's name"
        while !trace.words.contains(where: { $0.hasPrefix(sentence) }) { try await Task.sleep(for: .milliseconds(20)) }
        try await Task.sleep(for: .seconds(2))
        #expect(trace.words.filter { $0.hasPrefix(sentence) }.count == 1)
        #expect(try await owners(crew)["taskmanager/a"] == "a/1")
        one.cancel()
        _ = try await one.value
        let gone = ContinuousClock.now
        while try await owners(crew).filter({ $0.value == "a/2" }).count < 4 {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(gone.duration(to: .now) < .seconds(6))
        two.cancel()
        _ = try await two.value
        #expect(try await owners(crew).isEmpty, "a clean stop gives everything back")
    }

    @Test("periodic work of a killed one is done by another within a few seconds", .timeLimit(.minutes(1)))
    func periodicWork() async throws {
        let crew = try Crew(bus: CountingBus())
        let way = SwitchedStore(crew.store)
        let first = crew.services("a", store: way, incarnation: "1", lease: .seconds(600))
        let second = crew.services("b", store: crew.store, incarnation: "1", lease: .seconds(600))
        let one = Task {
            try await TaskManagerService(services: first, hostName: "a", logger: Crew.logger).run()
        }
        while try await owners(crew)["reaper"] != "a/1" { try await Task.sleep(for: .milliseconds(20)) }
        let two = Task {
            try await TaskManagerService(services: second, hostName: "b", logger: Crew.logger).run()
        }
        while try await owners(crew)["taskmanager/b"] != "b/1" { try await Task.sleep(for: .milliseconds(20)) }
        way.cut()
        one.cancel()
        let killed = ContinuousClock.now
        while try await owners(crew).filter({ $0.value == "b/1" }).count < 4 {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(killed.duration(to: .now) < .seconds(8))
        two.cancel()
        _ = try await two.value
    }
}
