// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import API

@Suite("Rate limits")
struct RateLimitTests {
    private static let limit = 100

    private static func limiter(
        _ store: any StateStore, _ clock: TestClock, limit: Int = limit, owner: String = SystemRandomSource().uuid()
    ) -> RateLimiter {
        RateLimiter(
            limits: ["GET": limit], owner: owner, store: store, clock: clock, patience: .seconds(60),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func isAdmitted(_ limiter: RateLimiter) async -> Bool {
        do throws(APIFault) {
            try await limiter.admit("GET", projectID: "p")
            return true
        } catch {
            #expect(error.status == 413 && (error.retryAfter ?? 0) >= 1)
            return false
        }
    }

    /// How many of `count` are let through.
    private static func admitted(_ limiter: RateLimiter, of count: Int) async -> Int {
        var admitted = 0
        for _ in 0..<count where await isAdmitted(limiter) { admitted += 1 }
        return admitted
    }

    @Test("one process alone lets through exactly what the bucket of the contract does, whatever comes when")
    func alone() async throws {
        let clock = TestClock()
        try await SharedState.sqlite.withTwo(clock: clock) { store, _ in
            let limiter = Self.limiter(store, clock)
            let random = SeededRandomSource(seed: 7)
            var reference = LeakyBucket(updated: clock.now)
            var (expected, found) = (0, 0)
            for second in 0..<240 {
                clock.advance(by: .milliseconds(1000))
                // Bursts, quiet, and more than there is room for.
                let load = second % 60 < 20 ? 5 : Int(random.bytes(1)[0] % 3)
                for _ in 0..<load {
                    if reference.room(at: clock.now, limit: Self.limit) > 0 {
                        reference.add(at: clock.now, limit: Self.limit)
                        expected += 1
                    }
                    if await Self.isAdmitted(limiter) { found += 1 }
                }
                if second % 5 == 0 { await limiter.giveBack(everything: false) }
            }
            #expect(expected > 2 * Self.limit)
            #expect(abs(expected - found) <= 1, "\(found) instead of \(expected)")
            clock.advance(by: .seconds(120))
            #expect(await Self.admitted(limiter, of: 3 * Self.limit) == Self.limit)
        }
    }

    @Test("two processes at once let through the limit, and not one more", arguments: SharedState.allCases)
    func together(state: SharedState) async throws {
        let clock = TestClock()
        try await state.withTwo(clock: clock) { first, second in
            let limiters = [Self.limiter(first, clock), Self.limiter(second, clock)]
            let admitted = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<(4 * Self.limit) {
                    group.addTask { await Self.isAdmitted(limiters[number % 2]) }
                }
                return await group.reduce(into: 0) { count, isAdmitted in count += isAdmitted ? 1 : 0 }
            }
            // What one has leased and the other asked for: both ask again.
            var rest = 0
            for limiter in limiters { rest += await Self.admitted(limiter, of: 20) }
            #expect(admitted + rest == Self.limit)
        }
    }

    @Test("two processes over minutes never let through more than one bucket would", arguments: SharedState.allCases)
    func overTime(state: SharedState) async throws {
        let clock = TestClock()
        try await state.withTwo(clock: clock) { first, second in
            let limiters = [Self.limiter(first, clock), Self.limiter(second, clock)]
            let random = SeededRandomSource(seed: 3)
            var reference = LeakyBucket(updated: clock.now)
            var admitted = 0
            for second in 0..<150 {
                clock.advance(by: .seconds(1))
                for _ in 0..<(second % 40 < 10 ? 12 : 2) {
                    guard await Self.isAdmitted(limiters[Int(random.bytes(1)[0] % 2)]) else { continue }
                    admitted += 1
                    reference.add(at: clock.now, limit: Self.limit)
                    #expect(reference.level(at: clock.now, limit: Self.limit) <= Double(Self.limit) + 0.01)
                }
            }
            #expect(admitted > Self.limit * 2)
        }
    }

    @Test("an idle process leaves a busy one nearly all, and all once it has given back what it does not use")
    func idle() async throws {
        let clock = TestClock()
        try await SharedState.sqlite.withTwo(clock: clock) { first, second in
            let (busy, idle) = (Self.limiter(first, clock), Self.limiter(second, clock))
            #expect(await Self.isAdmitted(idle))
            #expect(await Self.admitted(busy, of: 200) == Self.limit - RateShare.batch(Self.limit))
            await idle.giveBack(everything: false)
            clock.advance(by: .milliseconds(10))
            #expect(await Self.admitted(busy, of: 10) == 0, "the lease is still good")
            await idle.giveBack(everything: true)
            clock.advance(by: .seconds(1))
            // One of the lease was used; one and two thirds have leaked.
            #expect(await Self.admitted(busy, of: 20) == RateShare.batch(Self.limit) - 1 + 1)
        }
    }

    @Test("a process that ends gives back what it has not used")
    func ends() async throws {
        let clock = TestClock()
        try await SharedState.sqlite.withTwo(clock: clock) { first, second in
            let ending = Self.limiter(second, clock)
            #expect(await Self.isAdmitted(ending))
            let keeping = Task { await ending.keep() }
            keeping.cancel()
            await keeping.value
            #expect(await Self.admitted(Self.limiter(first, clock), of: 200) == Self.limit - 1)
        }
    }

    @Test("a process that dies costs the project its lease, once")
    func dies() async throws {
        let clock = TestClock()
        try await SharedState.sqlite.withTwo(clock: clock) { first, second in
            let busy = Self.limiter(first, clock)
            #expect(await Self.isAdmitted(Self.limiter(second, clock)))
            #expect(await Self.admitted(busy, of: 200) == Self.limit - RateShare.batch(Self.limit))
            clock.advance(by: .seconds(60))
            #expect(await Self.admitted(busy, of: 200) >= Self.limit - RateShare.batch(Self.limit))
            clock.advance(by: .seconds(60))
            #expect(await Self.admitted(busy, of: 200) == Self.limit)
        }
    }

    @Test("most requests cost no statement, and a flood past the limit costs none")
    func statements() async throws {
        try await withAPI { api in
            let store = try api.counting()
            let limiter = Self.limiter(store, api.clock, limit: 200)
            #expect(await Self.admitted(limiter, of: 200) == 200)
            #expect(store.take() <= 200 / 4)
            #expect(await Self.admitted(limiter, of: 1000) == 0)
            #expect(store.take() <= 2)
        }
    }

    @Test("while the state store is away a process lets its own share through, and tells of it afterwards")
    func away() async throws {
        let clock = TestClock()
        #expect(await Self.admitted(Self.limiter(FailingStore(.unavailable), clock), of: 300) == Self.limit)
        try await SharedState.sqlite.withTwo(clock: clock) { first, second in
            let store = SwitchedStore(first)
            let limiter = Self.limiter(store, clock)
            let peer = Self.limiter(second, clock)
            #expect(await Self.isAdmitted(peer))
            #expect(await Self.isAdmitted(limiter))
            store.fail(.unavailable)
            // The rest of the lease, then half of the limit: two processes had a lease.
            #expect(await Self.admitted(limiter, of: 200) == Self.limit / 2 - 1)
            store.fail(nil)
            clock.advance(by: .seconds(1))
            #expect(await Self.isAdmitted(limiter))
            let left = await Self.admitted(peer, of: 200)
            #expect((Self.limit / 2 - 10...Self.limit / 2 + 5).contains(left), "\(left)")
        }
    }

    @Test("GET /limits says what is left to all processes together, and when there is more")
    func limits() async throws {
        var configuration = APIFixture.configuration
        configuration.rateLimits = ["GET": 40, "POST": 3]
        try await withTwoAPIs(.sqlite, configuration) { first, second in
            func rate(_ api: APIFixture, _ verb: String) async -> [JSONValue?] {
                let limits = await api.send("GET", "/limits").json["limits"]?.arrayValue ?? []
                let rate = limits.first { $0["verb"]?.stringValue == verb }
                return [rate?["value"], rate?["remaining"], rate?["nextAvailable"]]
            }
            let now = first.clock.now.text + "Z"
            #expect(await rate(first, "GET") == [40, 39, .string(now)])
            // The first one's lease of two counts here as used.
            #expect(await rate(second, "GET") == [40, 37, .string(now)])
            for _ in 0..<3 { #expect(await first.send("POST", "/nothing").status == 404) }
            let later = (first.clock.now + .seconds(20)).text + "Z"
            #expect(await rate(second, "POST") == [3, 0, .string(later)])
            let refused = await second.send("POST", "/nothing")
            #expect(refused.status == 413 && refused.header("retry-after") == "20")
            first.clock.advance(by: .seconds(20))
            #expect(await second.send("POST", "/nothing").status == 404)
            #expect(await first.send("POST", "/nothing").status == 413)
        }
    }
}

/// A state store that can be taken away.
private final class SwitchedStore: StateStore {
    private let store: any StateStore
    private let failure = Mutex<StateStoreError.Code?>(nil)

    init(_ store: any StateStore) { self.store = store }

    func fail(_ code: StateStoreError.Code?) { failure.withLock { $0 = code } }

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        if let code = failure.withLock({ $0 }) { throw StateStoreError(code, "away") }
        return try await store.read(body)
    }

    func write<Value: Sendable>(
        _ durability: Durability, _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws -> Value {
        if let code = failure.withLock({ $0 }) { throw StateStoreError(code, "away") }
        return try await store.write(durability, body)
    }

    func close() async { await store.close() }
}
