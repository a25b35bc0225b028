// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Messaging

@Suite("BusState", .timeLimit(.minutes(1)))
struct BusStateTests {
    private let start = ContinuousClock.now

    @Test("deadlines are armed once for the earliest, and again after it has passed")
    func arming() async {
        _ = await withCheckedContinuation { (waiter: BusState.Waiter) in
            var state = BusState()
            func add(_ number: UInt64, _ seconds: Int) -> Bool {
                let item = BusState.Pending(
                    frames: [], deadline: start + .seconds(seconds), completion: .waiter(waiter))
                return state.add(number, item)
            }
            #expect(add(1, 10))
            #expect(!add(2, 20))
            #expect(add(3, 5))
            #expect(state.armed == start + .seconds(5))
            #expect(state.expire(start + .seconds(4), socket: "s").isEmpty)
            #expect(state.expire(start + .seconds(10), socket: "s").count == 2)
            #expect(state.armed == start + .seconds(20))
            let left = state.resolve(2, .success(()))
            #expect(left != nil)
            if case .none = state.resolve(2, .success(())) {} else { Issue.record("resolved twice") }
            #expect(state.expire(start + .seconds(20), socket: "s").isEmpty)
            #expect(state.armed == nil)
            left?.resume()
        }
    }

    @Test("a call fails as unavailable while the hub has not taken it, and as timed out after")
    func callDeadline() async {
        for isConfirmed in [false, true] {
            let result = await withCheckedContinuation { (caller: BusState.Caller) in
                var state = BusState()
                state.add(
                    "m",
                    BusState.Call(
                        assembly: ReplyAssembly(method: "x"), number: 1, description: "x", deadline: start,
                        caller: caller))
                _ = state.add(1, BusState.Pending(frames: [], deadline: start, completion: .call("m")))
                if isConfirmed { #expect(state.resolve(1, .success(())) == nil) }
                for resumption in state.expire(start, socket: "s") { resumption.resume() }
            }
            let error = #expect(throws: MessagingError.self) { try result.get() }
            #expect(error?.code == (isConfirmed ? .timedOut : .unavailable))
        }
    }

    @Test("a frame sent again carries the time that is left, not the time that was given")
    func resendExpiry() async throws {
        let frame = HubFrame.publish(number: 1, expires: 15_000, exchange: "trove", key: "k", body: [])
        let item = BusState.Pending(
            frames: [frame], deadline: start + .seconds(15), completion: .call("m"))
        let sent = try HubFrame(content: item.encoded(start + .seconds(5)).dropFirst(4))
        #expect(sent == .publish(number: 1, expires: 10_000, exchange: "trove", key: "k", body: []))
    }
}

extension BusState.Resumption? {
    fileprivate static func == (left: Self, right: _OptionalNilComparisonType) -> Bool {
        if case .none = left { true } else { false }
    }

    fileprivate static func != (left: Self, right: _OptionalNilComparisonType) -> Bool { !(left == right) }
}
