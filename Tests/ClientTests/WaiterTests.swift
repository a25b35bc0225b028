// SPDX-License-Identifier: Apache-2.0

import Client
import Model
import Testing

@Suite("Waiting for an operation")
struct WaiterTests {
    private final class Scene {
        var time = ContinuousClock.now
        var shown = ""
        var states: [JSONValue?]
        var interruptAfter = Int.max
        var pauses: [Duration] = []

        init(_ states: [JSONValue?]) { self.states = states }

        func run(
            _ rule: StatusRule, until goal: Waiter.Goal = .finalStatus, timeout: Duration = .seconds(600),
            isTerminal: Bool = false
        ) throws -> JSONValue? {
            var waiter = Waiter(rule, until: goal, timeout: timeout, advice: "look")
            waiter.now = { self.time }
            var progress = Progress("instance shop", isTerminal: isTerminal) { self.shown += $0 }
            return try waiter.run(
                &progress,
                read: {
                    let state = self.states.count > 1 ? self.states.removeFirst() : self.states[0]
                    if state == "silent" { throw ClientError(.unavailable, "nobody") }
                    return state
                },
                pause: { time in
                    self.pauses.append(time)
                    if self.pauses.count >= self.interruptAfter { throw ClientError(.interrupted, "interrupted") }
                    self.time += time
                })
        }
    }

    private static func instance(_ status: String, _ operating: String = "", fault: String? = nil) -> JSONValue {
        var members: [String: JSONValue] = ["status": .string(status), "operating_status": .string(operating)]
        if let fault { members["fault"] = ["message": .string(fault)] }
        return .object(members)
    }

    @Test("ends with ACTIVE and a server that runs, a line a status")
    func active() throws {
        let scene = Scene([
            Self.instance("BUILD"), Self.instance("BUILD"), "silent", Self.instance("ACTIVE", "RESTARTING"),
            Self.instance("ACTIVE", "HEALTHY"),
        ])
        #expect(try scene.run(.instance)?["operating_status"] == "HEALTHY")
        #expect(
            scene.shown == """
                instance shop: BUILD after 0 s
                instance shop: the service does not answer after 0 s
                instance shop: ACTIVE after 1 s

                """)
        #expect(
            scene.pauses == [.milliseconds(250), .milliseconds(375), .microseconds(562_500), .microseconds(843_750)])
    }

    @Test("fails with the fault's message")
    func fault() {
        let scene = Scene([Self.instance("BUILD"), Self.instance("ERROR", fault: "no room")])
        let error = #expect(throws: ClientError.self) { try scene.run(.instance) }
        #expect(error?.code == .refused && error?.message == "no room")
    }

    @Test("a server that stays down is a failure after the grace")
    func down() {
        let scene = Scene([Self.instance("ACTIVE", "SHUTDOWN")])
        let error = #expect(throws: ClientError.self) { try scene.run(.instance) }
        #expect(error?.message == "the database server is SHUTDOWN")
        #expect(scene.pauses.reduce(.zero, +) >= .seconds(30) && scene.pauses.reduce(.zero, +) < .seconds(40))
    }

    @Test("gone is the end of a delete, also after an error on the way, and a failure of anything else")
    func gone() throws {
        let scene = Scene([Self.instance("SHUTDOWN"), Self.instance("ERROR"), nil])
        #expect(try scene.run(.instance, until: .gone) == nil)
        #expect(scene.shown.hasSuffix("instance shop: gone after 0 s\n"))
        let other = #expect(throws: ClientError.self) { try Scene([nil]).run(.instance) }
        #expect(other?.message == "it was deleted meanwhile")
    }

    @Test("time that is over and Ctrl-C leave the operation running, and say how to go on")
    func early() {
        let late = #expect(throws: ClientError.self) {
            try Scene([Self.instance("BUILD")]).run(.instance, timeout: .seconds(9))
        }
        #expect(late?.code == .timedOut)
        #expect(late?.message == "not ended within 9 s; the operation goes on: look")
        let scene = Scene([Self.instance("BUILD")])
        scene.interruptAfter = 2
        let stopped = #expect(throws: ClientError.self) { try scene.run(.instance, isTerminal: true) }
        #expect(stopped?.code == .interrupted && stopped?.message == "interrupted; the operation goes on: look")
        #expect(scene.shown.hasSuffix("BUILD, 0 s\n"), "the line is ended")
    }

    @Test("a terminal has one line with a bar")
    func bar() throws {
        let scene = Scene([["status": "NEW"], ["status": "COMPLETED"]])
        _ = try scene.run(.backup, isTerminal: true)
        #expect(scene.shown.hasPrefix("\r\u{1B}[K[=====               ] instance shop: NEW, 0 s"))
        #expect(scene.shown.hasSuffix("\r\u{1B}[K[====================] instance shop: COMPLETED, 0 s\n"))
        #expect(scene.shown.count { $0 == "\n" } == 1)
    }

    @Test("clusters and backups have ends of their own")
    func others() throws {
        let failed = #expect(throws: ClientError.self) { try Scene([["status": "FAILED"]]).run(.backup) }
        #expect(failed?.message == "the backup is FAILED")
        let cluster: JSONValue = ["task": ["name": "NONE"], "instances": [["name": "m1", "status": "ERROR"]]]
        let broken = #expect(throws: ClientError.self) { try Scene([cluster]).run(.cluster) }
        #expect(broken?.message.hasSuffix("m1") == true)
        #expect(try Scene([["task": ["name": "BUILDING"]], ["task": ["name": "NONE"]]]).run(.cluster) != nil)
    }
}
