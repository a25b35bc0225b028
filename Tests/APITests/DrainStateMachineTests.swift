// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import API

@Suite("Drain state machine")
struct DrainStateMachineTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func moment(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

    private let patience = DrainStateMachine.Patience(betweenRequests: .seconds(2), firstRequest: .seconds(5))

    private func serving() -> DrainStateMachine { DrainStateMachine(patience: patience, now: Self.start) }

    @Test("nothing is said or closed while the server serves")
    func normal() {
        var state = serving()
        for second in Int64(0)..<3 {
            #expect(state.readHead(now: Self.moment(second)) == true)
            #expect(state.writeHead() == false)
            #expect(state.writeEnd(now: Self.moment(second)) == .nothing)
        }
        #expect(state.check(now: Self.moment(100)) == .nothing)
    }

    @Test("a request in progress ends the connection with an answer that says so, and no later one is served")
    func inProgress() {
        var state = serving()
        #expect(state.readHead(now: Self.start) == true)
        #expect(state.drain(now: Self.moment(1)) == .nothing)
        #expect(state.writeHead() == true)
        #expect(state.readHead(now: Self.moment(1)) == false)
        #expect(state.writeEnd(now: Self.moment(1)) == .close)
        #expect(state.drain(now: Self.moment(2)) == .nothing)
    }

    @Test("what is no request is answered, and ends with its silence")
    func garbage() {
        var state = serving()
        #expect(state.writeHead() == false)
        #expect(state.writeEnd(now: Self.start) == .nothing)
        #expect(state.drain(now: Self.moment(9)) == .close)
    }

    @Test("requests that were sent ahead are all answered, and the last answer says the end")
    func pipelined() {
        var state = serving()
        #expect(state.readHead(now: Self.start) == true)
        #expect(state.readHead(now: Self.start) == true)
        #expect(state.drain(now: Self.start) == .nothing)
        #expect(state.writeHead() == false)
        #expect(state.writeEnd(now: Self.start) == .nothing)
        #expect(state.writeHead() == true)
        #expect(state.writeEnd(now: Self.start) == .close)
    }

    @Test("an answer begun before the stop leaves the connection to its silence")
    func answerBegun() {
        var state = serving()
        #expect(state.readHead(now: Self.start) == true)
        #expect(state.writeHead() == false)
        #expect(state.drain(now: Self.start) == .nothing)
        #expect(state.writeEnd(now: Self.moment(1)) == .wait(until: Self.moment(3)))
        #expect(state.readHead(now: Self.moment(2)) == true)
        #expect(state.check(now: Self.moment(3)) == .nothing)
        #expect(state.writeHead() == true)
        #expect(state.writeEnd(now: Self.moment(4)) == .close)
    }

    @Test("silent connections end: long silent ones at once, fresh ones after the time for a first request")
    func silent() {
        var used = serving()
        _ = used.readHead(now: Self.start)
        _ = used.writeEnd(now: Self.start)
        var recent = used
        #expect(used.drain(now: Self.moment(2)) == .close)
        #expect(recent.drain(now: Self.moment(1)) == .wait(until: Self.moment(2)))
        #expect(recent.check(now: Self.moment(2)) == .close)
        #expect(recent.readHead(now: Self.moment(2)) == false)
        var fresh = serving()
        #expect(fresh.drain(now: Self.moment(1)) == .wait(until: Self.moment(5)))
        #expect(fresh.readHead(now: Self.moment(4)) == true)
        #expect(fresh.writeHead() == true)
        #expect(fresh.writeEnd(now: Self.moment(6)) == .close)
    }
}
