// SPDX-License-Identifier: Apache-2.0

import Compute
import Foundation
import Model
import StateStore
import Synchronization
import TaskManager
import TestSupport
import Testing

/// Several dispatchers over one store, as several processes have.
@Suite("FlowDispatcher")
struct FlowDispatcherTests {
    @Test(
        "three share the work: every step runs once, never two of an instance at a time", .timeLimit(.minutes(2)),
        arguments: Crew.Driver.allCases)
    func sharing(driver: Crew.Driver) async throws {
        let (crew, watchman) = (try await Crew.on(driver), Watchman())
        let ids = (0..<30).map { "i\($0)" }
        for id in ids { try await crew.order(id) }
        let members = ["a", "b", "c"].map { crew.member($0, WatchedFlow(watchman: watchman), lease: .seconds(20)) }
        for member in members { member.start() }
        for id in ids { #expect(try await crew.end(of: id) == .done) }
        for member in members { await member.stop() }
        #expect(watchman.overlaps.isEmpty)
        #expect(watchman.visits.sorted() == ids.flatMap { ["\($0)/first", "\($0)/second", "\($0)/third"] }.sorted())
    }

    @Test(
        "what a killed one had is taken over after its lease, at its step", .timeLimit(.minutes(2)),
        arguments: Crew.Driver.allCases)
    func takeover(driver: Crew.Driver) async throws {
        let (crew, watchman) = (try await Crew.on(driver), Watchman())
        try await crew.order("i1")
        let stuck = WatchedFlow(watchman: watchman) { _ in try await Task.sleep(for: .seconds(100)) }
        let first = crew.member("a", stuck)
        first.start()
        await watchman.wait(for: "i1/second")
        let second = crew.member("b", WatchedFlow(watchman: watchman))
        second.start()
        await first.kill()
        let killed = ContinuousClock.now
        #expect(try await crew.end(of: "i1") == .done)
        #expect(killed.duration(to: .now) < .seconds(10))
        #expect(watchman.visits == ["i1/first", "i1/second", "i1/second", "i1/third"])
        #expect(watchman.overlaps.isEmpty)
        await second.stop()
    }

    @Test(
        "a clock that is set takes nothing from one that lives", .timeLimit(.minutes(2)),
        arguments: [Duration.seconds(3600), .seconds(-3600)], Crew.Driver.allCases)
    func steppedClockLive(step: Duration, driver: Crew.Driver) async throws {
        let (crew, watchman) = (try await Crew.on(driver), Watchman())
        try await crew.order("i1")
        let slow = WatchedFlow(watchman: watchman) { _ in try await Task.sleep(for: .seconds(6)) }
        let (first, second) = (crew.member("a", slow, lease: .seconds(3)), crew.member("b", slow, lease: .seconds(3)))
        first.start()
        await watchman.wait(for: "i1/second")
        second.start()
        try await Task.sleep(for: .milliseconds(300))
        crew.clock.step(by: step)
        #expect(try await crew.end(of: "i1") == .done)
        #expect(watchman.visits == ["i1/first", "i1/second", "i1/third"])
        await first.stop()
        await second.stop()
    }

    @Test(
        "a clock that is set does not keep what a killed one had", .timeLimit(.minutes(2)),
        arguments: [Duration.seconds(3600), .seconds(-3600)], Crew.Driver.allCases)
    func steppedClockDead(step: Duration, driver: Crew.Driver) async throws {
        let (crew, watchman) = (try await Crew.on(driver), Watchman())
        try await crew.order("i1")
        let stuck = WatchedFlow(watchman: watchman) { _ in try await Task.sleep(for: .seconds(100)) }
        let (first, second) = (crew.member("a", stuck), crew.member("b", WatchedFlow(watchman: watchman)))
        first.start()
        await watchman.wait(for: "i1/second")
        await first.kill()
        crew.clock.step(by: step)
        let killed = ContinuousClock.now
        second.start()
        #expect(try await crew.end(of: "i1") == .done)
        #expect(killed.duration(to: .now) < .seconds(10))
        await second.stop()
    }

    @Test("what an earlier run of the same name had is taken back at once", .timeLimit(.minutes(1)))
    func ownName() async throws {
        let (crew, watchman) = (try Crew(), Watchman())
        try await crew.order("i1")
        let stuck = WatchedFlow(watchman: watchman) { _ in try await Task.sleep(for: .seconds(100)) }
        let before = crew.member("a", stuck, lease: .seconds(600))
        before.start()
        await watchman.wait(for: "i1/second")
        await before.kill()
        let after = crew.member("a", WatchedFlow(watchman: watchman), lease: .seconds(600))
        after.start()
        #expect(try await crew.end(of: "i1") == .done)
        await after.stop()
    }

    @Test("a clean stop gives its rows back", .timeLimit(.minutes(1)))
    func stopping() async throws {
        let (crew, watchman) = (try Crew(), Watchman())
        try await crew.order("i1")
        let stuck = WatchedFlow(watchman: watchman) { _ in try await Task.sleep(for: .seconds(100)) }
        let first = crew.member("a", stuck, lease: .seconds(600))
        first.start()
        await watchman.wait(for: "i1/second")
        await first.stop()
        #expect(try await crew.row("i1")?.state == .ready)
        let second = crew.member("b", WatchedFlow(watchman: watchman), lease: .seconds(600))
        second.start()
        #expect(try await crew.end(of: "i1") == .done)
        await second.stop()
    }

    @Test(
        "operations stay on their instance's host; a create makes its claimer's host the instance's",
        .timeLimit(.minutes(1)), arguments: Crew.Driver.allCases)
    func hosts(driver: Crew.Driver) async throws {
        let (crew, watchman) = (try await Crew.on(driver), Watchman())
        try await crew.order("on-one", on: "one")
        // Accepted before its instance had a host: the row says nothing.
        try await crew.order("late", on: nil)
        try await crew.store.write(.relaxed) { [now = crew.clock.now] transaction in
            var instance = try #require(try transaction.instances.find("late"))
            instance.computeHost = "one"
            _ = try transaction.instances.save(instance, now: now)
        }
        try await crew.order("new", .createInstance)
        let two = crew.member("b", WatchedFlow(watchman: watchman), host: "two")
        two.start()
        // Its version does not know the create, but has claimed it.
        while try await crew.row("new")?.fence == 0 { try await Task.sleep(for: .milliseconds(20)) }
        try await Task.sleep(for: .milliseconds(500))
        await two.stop()
        #expect(try await crew.row("new")?.host == "two")
        #expect(try await crew.store.read { try $0.instances.find("new")?.computeHost } == "two")
        for id in ["on-one", "late"] { #expect(try await crew.row(id)?.fence == 0, "\(id)") }
        let one = crew.member("a", WatchedFlow(watchman: watchman), host: "one")
        one.start()
        for id in ["on-one", "late"] { #expect(try await crew.end(of: id) == .done, "\(id)") }
        await one.stop()
    }
}
