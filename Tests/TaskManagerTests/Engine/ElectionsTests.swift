// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import StateStore
import Synchronization
import TaskManager
import TestSupport
import Testing

@Suite("Elections")
struct ElectionsTests {
    /// One process that stands for the role `work`, and whether it works.
    private final class Candidate: Sendable {
        let store: SwitchedStore
        private let task: Mutex<Task<Void, Never>?>
        private let working: Mutex<Bool>
        let elsewhere = Trace()

        init(_ owner: String, _ crew: Crew, lease: Duration = .seconds(2), hasEnded: Set<String> = []) {
            let store = SwitchedStore(crew.store)
            self.store = store
            working = Mutex(false)
            task = Mutex(nil)
            let elections = Elections(
                store: store, owner: owner, hasEnded: { hasEnded.contains($0) }, logger: Crew.logger)
            let role = LeasedRole(
                "work", lease: lease,
                run: { [weak self] in
                    self?.working.withLock { $0 = true }
                    try? await Task.sleep(for: .seconds(1000))
                    self?.working.withLock { $0 = false }
                }, isElsewhere: { [elsewhere] in elsewhere.add($0.owner) })
            task.withLock { $0 = Task { await elections.run([role]) } }
        }

        var isWorking: Bool { working.withLock { $0 } }

        func stop() async {
            let task = task.withLock { $0 }
            task?.cancel()
            await task?.value
        }

        func kill() async {
            store.cut()
            await stop()
        }

        func works(within limit: Duration = .seconds(20)) async -> Bool {
            let deadline = Deadline.after(limit)
            while !isWorking, !deadline.isPast { try? await Task.sleep(for: .milliseconds(20)) }
            return isWorking
        }
    }

    @Test("one has the role, and a clean stop passes it on at once", .timeLimit(.minutes(1)))
    func passing() async throws {
        let crew = try Crew()
        let first = Candidate("a/1", crew, lease: .seconds(600))
        #expect(await first.works())
        let second = Candidate("b/1", crew, lease: .seconds(600))
        try await Task.sleep(for: .seconds(2))
        #expect(!second.isWorking)
        #expect(second.elsewhere.words == ["a/1"])
        await first.stop()
        #expect(await second.works(within: .seconds(5)))
        await second.stop()
    }

    @Test("a killed holder is followed within a few seconds, though clocks step", .timeLimit(.minutes(1)))
    func death() async throws {
        let crew = try Crew()
        let (first, second) = (Candidate("a/1", crew), Candidate("b/1", crew))
        let isFirst = await first.works(within: .seconds(2))
        let (holder, other) = isFirst ? (first, second) : (second, first)
        #expect(await holder.works())
        crew.clock.step(by: .seconds(3600))
        try await Task.sleep(for: .seconds(3))
        #expect(holder.isWorking && !other.isWorking, "a clock that was put forward takes nothing away")
        await holder.kill()
        crew.clock.step(by: .seconds(-7200))
        let killed = ContinuousClock.now
        #expect(await other.works())
        #expect(killed.duration(to: .now) < .seconds(8))
        await other.stop()
    }

    @Test("a holder that is known to have ended is followed at once", .timeLimit(.minutes(1)))
    func knownDeath() async throws {
        let crew = try Crew()
        let first = Candidate("a/1", crew, lease: .seconds(600))
        #expect(await first.works())
        await first.kill()
        let second = Candidate("a/2", crew, lease: .seconds(600), hasEnded: ["a/1"])
        #expect(await second.works(within: .seconds(5)))
        await second.stop()
    }

    @Test("a holder without its database stops before another can begin", .timeLimit(.minutes(1)))
    func cutOff() async throws {
        let crew = try Crew()
        let first = Candidate("a/1", crew)
        #expect(await first.works())
        let second = Candidate("b/1", crew)
        try await Task.sleep(for: .milliseconds(500))
        first.store.cut()
        #expect(await second.works())
        #expect(!first.isWorking)
        first.store.mend()
        try await Task.sleep(for: .seconds(2))
        #expect(!first.isWorking && second.isWorking)
        await first.stop()
        await second.stop()
    }
}
