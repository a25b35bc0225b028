// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Identity

@Suite("The throttle on wrong passwords")
struct LoginThrottleTests {
    private let start = Timestamp(microseconds: 1_600_000_000_000_000)

    @Test("waits double to a limit")
    func doubling() {
        var throttle = LoginThrottle()
        var waits: [Duration] = []
        for _ in 0..<8 {
            throttle.failed(userID: "u", now: start)
            waits.append(throttle.wait(userID: "u", now: start))
        }
        #expect(waits == [0, 0, 1, 2, 4, 8, 8, 8].map { Duration.seconds($0) })
        #expect(throttle.wait(userID: "other", now: start) == .zero)
        #expect(throttle.wait(userID: "u", now: start + .seconds(8)) == .zero)
    }

    @Test("a clock that was set back locks nobody out")
    func clockSetBack() {
        var throttle = LoginThrottle()
        for _ in 0..<5 { throttle.failed(userID: "u", now: start) }
        #expect(throttle.wait(userID: "u", now: Timestamp(microseconds: 0)) == .zero)
    }

    @Test("success and a quiet minute forgive")
    func forgiving() {
        var throttle = LoginThrottle()
        for _ in 0..<5 { throttle.failed(userID: "u", now: start) }
        throttle.succeeded(userID: "u")
        #expect(throttle.wait(userID: "u", now: start) == .zero)
        for _ in 0..<5 { throttle.failed(userID: "u", now: start) }
        let later = start + .seconds(61)
        throttle.failed(userID: "u", now: later)
        #expect(throttle.wait(userID: "u", now: later) == .zero)
    }
}
