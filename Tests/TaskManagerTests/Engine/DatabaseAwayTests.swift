// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore
import TaskManager
import TestSupport
import Testing

/// The database goes away while an operation runs.
@Suite("A flow without its database")
struct DatabaseAwayTests {
    @Test("for three seconds: the flow waits and goes on, and nothing is tried twice", .timeLimit(.minutes(2)))
    func briefly() async throws {
        let (crew, watchman) = (try Crew(), Watchman())
        try await crew.order("i1")
        let reading = WatchedFlow(
            watchman: watchman,
            middle: { run in
                // The step itself asks while the database is away.
                try await Task.sleep(for: .milliseconds(300))
                _ = try await run.instance()
            }, deadline: .seconds(2))
        let member = crew.member("a", reading, lease: .seconds(30))
        member.start()
        await watchman.wait(for: "i1/second")
        member.store.cut()
        try await Task.sleep(for: .seconds(3))
        #expect(try await crew.row("i1")?.state == .running)
        member.store.mend()
        #expect(try await crew.end(of: "i1", within: .seconds(10)) == .done)
        #expect(watchman.visits == ["i1/first", "i1/second", "i1/third"])
        #expect(try await crew.row("i1")?.fence == 1)
        await member.stop()
    }

    @Test("for longer than the lease: the flow is left, and taken up by the same one when it is there again")
    func longer() async throws {
        let (crew, watchman) = (try Crew(), Watchman())
        try await crew.order("i1")
        let stuck = WatchedFlow(watchman: watchman) { run in
            if run.record.fence == 1 { try await Task.sleep(for: .seconds(100)) }
        }
        let member = crew.member("a", stuck, lease: .seconds(2))
        member.start()
        await watchman.wait(for: "i1/second")
        member.store.cut()
        let deadline = Deadline.after(.seconds(20))
        while await member.dispatcher.runningCount > 0, !deadline.isPast {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(await member.dispatcher.runningCount == 0, "its lease has run out")
        member.store.mend()
        let mended = ContinuousClock.now
        #expect(try await crew.end(of: "i1", within: .seconds(20)) == .done)
        #expect(mended.duration(to: .now) < .seconds(5))
        #expect(watchman.overlaps.isEmpty)
        await member.stop()
    }

    @Test(
        "another takes over what a cut off one holds, and the first one ends its step before", .timeLimit(.minutes(2)))
    func cutOff() async throws {
        let (crew, watchman) = (try Crew(), Watchman())
        try await crew.order("i1")
        let stuck = WatchedFlow(watchman: watchman) { run in
            if run.record.fence == 1 { try await Task.sleep(for: .seconds(100)) }
        }
        let (first, second) = (crew.member("a", stuck), crew.member("b", stuck))
        first.start()
        await watchman.wait(for: "i1/second")
        second.start()
        first.store.cut()
        #expect(try await crew.end(of: "i1", within: .seconds(20)) == .done)
        #expect(watchman.overlaps.isEmpty)
        first.store.mend()
        await first.stop()
        await second.stop()
        #expect(try await crew.row("i1")?.state == .done)
    }

    @Test(
        "a database server that is stopped, or hangs, for three seconds is waited for", .timeLimit(.minutes(3)),
        arguments: [true, false])
    func server(isStopped: Bool) async throws {
        let nodes = try Nodes([.mariadb])
        let clock = SteppedClock()
        let store = try await ServerDatabase.open(nodes, clock: clock)
        let (crew, watchman) = (try Crew(store, clock, ScratchDirectory(), AbsentBus()), Watchman())
        for id in ["i1", "i2", "i3"] { try await crew.order(id) }
        let reading = WatchedFlow(
            watchman: watchman,
            middle: { run in
                try await Task.sleep(for: .milliseconds(300))
                _ = try await run.instance()
            }, deadline: .seconds(5))
        let member = crew.member("a", reading, lease: .seconds(30))
        member.start()
        await watchman.wait(for: "i3/second")
        if isStopped { try nodes.stop(.mariadb) } else { try nodes.freeze(.mariadb) }
        try await Task.sleep(for: .seconds(3))
        if isStopped { try nodes.start(.mariadb) } else { try nodes.thaw(.mariadb) }
        let back = ContinuousClock.now
        for id in ["i1", "i2", "i3"] { #expect(try await crew.end(of: id) == .done) }
        #expect(back.duration(to: .now) < .seconds(5))
        #expect(watchman.visits.count == 9)
        await member.stop()
        await store.close()
    }
}
