// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization
import TaskManager
import Testing

@Suite("ChangeSignal")
struct ChangeSignalTests {
    @Test("a signal wakes the waiter at once", .timeLimit(.minutes(1)))
    func wakes() async throws {
        let signal = ChangeSignal()
        let looks = Mutex(0)
        let waiting = Task {
            try await signal.wait(for: "a", deadline: .after(.seconds(30)), interval: .seconds(20)) { () -> Bool? in
                looks.withLock { looks in
                    looks += 1
                    return looks > 1 ? true : nil
                }
            }
        }
        while looks.withLock({ $0 }) == 0 { await Task.yield() }
        let started = ContinuousClock.now
        signal.signal("a")
        #expect(try await waiting.value)
        #expect(started.duration(to: .now) < .seconds(5))
    }

    @Test("a signal between the look and the sleep is not lost", .timeLimit(.minutes(1)))
    func isNotLost() async throws {
        let signal = ChangeSignal()
        let started = ContinuousClock.now
        let looks = Mutex(0)
        let value = try await signal.wait(for: "a", deadline: .after(.seconds(30)), interval: .seconds(20)) {
            () -> Int? in
            let count = looks.withLock { looks in
                looks += 1
                return looks
            }
            if count == 1 { signal.signal("a") }
            return count > 1 ? count : nil
        }
        #expect(value == 2)
        #expect(started.duration(to: .now) < .seconds(5))
    }

    @Test("another key does not wake, and the deadline ends the wait", .timeLimit(.minutes(1)))
    func deadline() async throws {
        let signal = ChangeSignal()
        await #expect(throws: FlowError.self) {
            try await signal.wait(for: "a", deadline: .after(.milliseconds(50))) { () -> Bool? in
                signal.signal("b")
                return nil
            }
        }
    }
}
