// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Messaging

@Suite("HubState")
struct HubStateTests {
    private let start = ContinuousClock.now

    private func state(_ limits: HubLimits = HubLimits(settling: .zero)) -> HubState {
        HubState(limits: limits, started: start)
    }

    private func publish(_ number: UInt64, _ key: String, _ body: [UInt8] = [1], expires: UInt32 = 0) -> HubFrame {
        .publish(number: number, expires: expires, exchange: "trove", key: key, body: body)
    }

    private func declare(_ queue: String, transient: Bool = false, fanout: String = "") -> HubFrame {
        .declare(number: 0, queue: queue, fanout: fanout, isTransient: transient)
    }

    /// Connection and body of each delivery.
    private func deliveries(_ output: [HubState.Output]) -> [[UInt64]] {
        output.compactMap { item in
            guard case .deliver(_, _, _, _, let body) = item.frame else { return nil }
            return [item.connection] + body.map(UInt64.init)
        }
    }

    private func refusal(_ output: [HubState.Output]) -> HubFrame.Refusal? {
        for item in output {
            if case .refuse(_, let reason, _) = item.frame { return reason }
        }
        return nil
    }

    @Test("a message waits in a declared queue and goes to the first consumer")
    func waits() {
        var state = state()
        _ = state.take(declare("q"), from: 1, now: start)
        #expect(state.take(publish(1, "q"), from: 1, now: start) == [.init(connection: 1, frame: .confirm(number: 1))])
        #expect(state.count("q") == 1)
        let output = state.take(.consume(number: 2, tag: 5, queue: "q"), from: 2, now: start)
        #expect(
            output == [
                .init(connection: 2, frame: .confirm(number: 2)),
                .init(
                    connection: 2,
                    frame: .deliver(number: 1, tag: 5, expires: 0, isRedelivered: false, body: [1])),
            ])
        #expect(state.heldBytes == 1)
        _ = state.take(.acknowledge(number: 1), from: 2, now: start)
        #expect(state.heldBytes == 0)
    }

    @Test("an undeclared queue is refused at once")
    func undeclared() {
        var state = state()
        #expect(refusal(state.take(publish(1, "q"), from: 1, now: start)) == .noQueue)
        #expect(refusal(state.take(.consume(number: 1, tag: 1, queue: "q"), from: 1, now: start)) == .noQueue)
    }

    @Test("after a start, messages for queues that come back in time are held for them, the others refused later")
    func settling() {
        var state = state(HubLimits(settling: .seconds(2)))
        #expect(state.take(publish(1, "q"), from: 1, now: start).isEmpty)
        #expect(state.take(publish(2, "never"), from: 1, now: start).isEmpty)
        #expect(state.nextDeadline == start + .seconds(2))
        let declared = state.take(declare("q"), from: 2, now: start + .seconds(1))
        #expect(declared.contains(.init(connection: 1, frame: .confirm(number: 1))))
        #expect(state.count("q") == 1)
        #expect(state.settle(now: start + .seconds(1)).isEmpty)
        #expect(refusal(state.settle(now: start + .seconds(2))) == .noQueue)
        #expect(state.nextDeadline == nil && state.heldBytes == 1)
        #expect(refusal(state.take(publish(3, "never"), from: 1, now: start + .seconds(3))) == .noQueue)
    }

    @Test("what a client that left had published to nowhere is forgotten")
    func settlingDisconnect() {
        var state = state(HubLimits(settling: .seconds(2)))
        _ = state.take(publish(1, "q"), from: 1, now: start)
        #expect(state.disconnect(1, now: start).isEmpty)
        #expect(state.settle(now: start + .seconds(2)).isEmpty)
        #expect(state.heldBytes == 0)
    }

    @Test("consumers take turns")
    func roundRobin() {
        var state = state()
        _ = state.take(declare("q"), from: 1, now: start)
        for connection in UInt64(2)...4 {
            _ = state.take(.consume(number: 0, tag: 1, queue: "q"), from: connection, now: start)
        }
        let takers = (1...6).flatMap { number in
            deliveries(state.take(publish(UInt64(number), "q"), from: 1, now: start)).map { $0[0] }
        }
        #expect(takers == [2, 3, 4, 2, 3, 4])
    }

    @Test("a consumer that does not acknowledge gets no more than its window, the others the rest")
    func window() {
        var state = state(HubLimits(unacknowledgedMessages: 2, settling: .zero))
        _ = state.take(declare("q"), from: 1, now: start)
        _ = state.take(.consume(number: 0, tag: 1, queue: "q"), from: 2, now: start)
        for number in UInt64(1)...5 { _ = state.take(publish(number, "q", [UInt8(number)]), from: 1, now: start) }
        #expect(state.count("q") == 3)
        #expect(deliveries(state.take(.acknowledge(number: 1), from: 2, now: start)) == [[2, 3]])
        let other = state.take(.consume(number: 0, tag: 1, queue: "q"), from: 3, now: start)
        #expect(deliveries(other) == [[3, 4], [3, 5]])
    }

    @Test("bytes are part of the window")
    func byteWindow() {
        var state = state(HubLimits(unacknowledgedBytes: 10, settling: .zero))
        _ = state.take(declare("q"), from: 1, now: start)
        _ = state.take(.consume(number: 0, tag: 1, queue: "q"), from: 2, now: start)
        let body = [UInt8](repeating: 0, count: 8)
        for number in UInt64(1)...4 { _ = state.take(publish(number, "q", body), from: 1, now: start) }
        #expect(state.count("q") == 2)
    }

    @Test("what a dead consumer had not acknowledged goes to another, first and marked; what it had does not")
    func death() {
        var state = state()
        _ = state.take(declare("q"), from: 1, now: start)
        _ = state.take(.consume(number: 0, tag: 1, queue: "q"), from: 2, now: start)
        for number in UInt64(1)...3 { _ = state.take(publish(number, "q", [UInt8(number)]), from: 1, now: start) }
        _ = state.take(.acknowledge(number: 1), from: 2, now: start)
        #expect(state.disconnect(2, now: start).isEmpty)
        _ = state.take(publish(4, "q", [4]), from: 1, now: start)
        let output = state.take(.consume(number: 0, tag: 1, queue: "q"), from: 3, now: start)
        #expect(deliveries(output) == [[3, 2], [3, 3], [3, 4]])
        let marks = output.compactMap { item -> Bool? in
            if case .deliver(_, _, _, let isRedelivered, _) = item.frame { isRedelivered } else { nil }
        }
        #expect(marks == [true, true, false])
    }

    @Test("nobody acknowledges for another")
    func foreignAcknowledgement() {
        var state = state()
        _ = state.take(declare("q"), from: 1, now: start)
        _ = state.take(.consume(number: 0, tag: 1, queue: "q"), from: 2, now: start)
        _ = state.take(publish(1, "q"), from: 1, now: start)
        _ = state.take(.acknowledge(number: 1), from: 3, now: start)
        #expect(state.heldBytes == 1)
    }

    @Test("a full queue refuses, and makes room by dropping what expired")
    func full() {
        var state = state(HubLimits(messagesPerQueue: 2, settling: .zero))
        _ = state.take(declare("q"), from: 1, now: start)
        _ = state.take(publish(1, "q", expires: 1000), from: 1, now: start)
        _ = state.take(publish(2, "q"), from: 1, now: start)
        #expect(refusal(state.take(publish(3, "q"), from: 1, now: start)) == .full)
        #expect(refusal(state.take(publish(4, "q"), from: 1, now: start + .seconds(1))) == nil)
        #expect(state.count("q") == 2 && state.heldBytes == 2)
    }

    @Test("bytes are bounded per queue and in all")
    func bytes() {
        var state = state(HubLimits(bytesPerQueue: 10, totalBytes: 15, settling: .zero))
        for queue in ["a", "b"] { _ = state.take(declare(queue), from: 1, now: start) }
        let body = [UInt8](repeating: 0, count: 8)
        #expect(refusal(state.take(publish(1, "a", body), from: 1, now: start)) == nil)
        #expect(refusal(state.take(publish(2, "a", body), from: 1, now: start)) == .full)
        #expect(refusal(state.take(publish(3, "b", body), from: 1, now: start)) == .full)
        #expect(refusal(state.take(publish(4, "b", [1]), from: 1, now: start)) == nil)
    }

    @Test("an expired message is not delivered; a delivery says what time is left")
    func expiry() {
        var state = state()
        _ = state.take(declare("q"), from: 1, now: start)
        _ = state.take(publish(1, "q", [1], expires: 1000), from: 1, now: start)
        _ = state.take(publish(2, "q", [2], expires: 9000), from: 1, now: start)
        let output = state.take(.consume(number: 3, tag: 1, queue: "q"), from: 2, now: start + .seconds(1))
        #expect(
            output.last?.frame == .deliver(number: 1, tag: 1, expires: 8000, isRedelivered: false, body: [2]))
        #expect(output.count == 2 && state.heldBytes == 1)
    }

    @Test("a transient queue goes with its connection, unless a newer one has it")
    func transient() {
        var state = state()
        _ = state.take(declare("reply_1", transient: true), from: 1, now: start)
        _ = state.take(declare("reply_1", transient: true), from: 2, now: start)
        _ = state.disconnect(1, now: start)
        #expect(state.count("reply_1") == 0)
        _ = state.disconnect(2, now: start)
        #expect(state.count("reply_1") == nil)
    }

    @Test("a declared queue outlives its connection")
    func durable() {
        var state = state()
        _ = state.take(declare("q"), from: 1, now: start)
        _ = state.disconnect(1, now: start)
        #expect(state.count("q") == 0)
    }

    @Test("a fanout exchange feeds every queue declared with it; none is no error")
    func fanout() {
        var state = state()
        let frame = HubFrame.publish(number: 9, expires: 0, exchange: "t_fanout", key: "", body: [7])
        #expect(state.take(frame, from: 1, now: start) == [.init(connection: 1, frame: .confirm(number: 9))])
        for queue in ["t_fanout_1", "t_fanout_2"] {
            _ = state.take(declare(queue, transient: true, fanout: "t_fanout"), from: 1, now: start)
        }
        _ = state.take(frame, from: 1, now: start)
        #expect(state.count("t_fanout_1") == 1 && state.count("t_fanout_2") == 1)
        #expect(state.heldBytes == 2)
    }

    @Test("a deleted queue takes its messages, consumers and deliveries along; deleting again is fine")
    func delete() {
        var state = state()
        _ = state.take(declare("q"), from: 1, now: start)
        _ = state.take(.consume(number: 0, tag: 1, queue: "q"), from: 2, now: start)
        _ = state.take(publish(1, "q"), from: 1, now: start)
        for number in UInt64(2)...3 {
            let output = state.take(.delete(number: number, queue: "q"), from: 1, now: start)
            #expect(output == [.init(connection: 1, frame: .confirm(number: number))])
        }
        #expect(state.count("q") == nil && state.heldBytes == 0)
        _ = state.disconnect(2, now: start)
        _ = state.take(declare("q"), from: 1, now: start)
        #expect(deliveries(state.take(publish(4, "q"), from: 1, now: start)).isEmpty)
    }

    @Test("consuming again under the same tag is fine for the same queue alone")
    func consumeTwice() {
        var state = state()
        for queue in ["a", "b"] { _ = state.take(declare(queue), from: 1, now: start) }
        #expect(refusal(state.take(.consume(number: 1, tag: 1, queue: "a"), from: 1, now: start)) == nil)
        #expect(refusal(state.take(.consume(number: 2, tag: 1, queue: "a"), from: 1, now: start)) == nil)
        #expect(refusal(state.take(.consume(number: 3, tag: 1, queue: "b"), from: 1, now: start)) == .invalid)
        _ = state.take(publish(1, "a", [1]), from: 1, now: start)
        #expect(state.count("a") == 0)
    }

    @Test("a cancelled consumer gives back what it had not acknowledged")
    func cancel() {
        var state = state()
        _ = state.take(declare("q"), from: 1, now: start)
        _ = state.take(.consume(number: 0, tag: 1, queue: "q"), from: 2, now: start)
        _ = state.take(publish(1, "q"), from: 1, now: start)
        _ = state.take(.cancel(number: 2, tag: 1), from: 2, now: start)
        #expect(state.count("q") == 1)
        _ = state.take(publish(2, "q"), from: 1, now: start)
        #expect(state.count("q") == 2)
    }

    @Test("another protocol version and frames of the hub's own are refused")
    func invalid() {
        var state = state()
        #expect(refusal(state.take(.hello(number: 1, version: 2, name: ""), from: 1, now: start)) == .invalid)
        #expect(refusal(state.take(.confirm(number: 1), from: 1, now: start)) == .invalid)
    }

    @Test("notifications make their queue, wait for whoever reads them, and push the oldest out; nothing is refused")
    func notifications() {
        var state = state(HubLimits(notificationsPerQueue: 2, settling: .zero))
        for body in UInt8(1)...3 {
            let frame = HubFrame.publish(
                number: UInt64(body), expires: 0, exchange: "notifications", key: "n.info", body: [body])
            #expect(
                state.take(frame, from: 1, now: start) == [.init(connection: 1, frame: .confirm(number: UInt64(body)))])
        }
        #expect(state.count("n.info") == 2 && state.heldBytes == 2)
        _ = state.take(declare("n.info"), from: 2, now: start)
        let output = state.take(.consume(number: 9, tag: 1, queue: "n.info"), from: 2, now: start)
        #expect(deliveries(output) == [[2, 2], [2, 3]])
    }
}
