// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Model
import TestSupport
import Testing

@testable import GuestAgent
@testable import Messaging

/// An agent that reaches the control plane through a real RabbitMQ, with its own account and key.
@Suite("Agent at a broker, Serial", .serialized)
struct BrokerTests {
    private static let context = BrokerFixture.context

    @Test("calls are answered, reports and plugins' messages reach the conductor")
    func works() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.withAgent { _, bus in
                let guest = GuestClient(fixture.control)
                #expect(try await guest.call(fixture.id, .ping, context: Self.context) == true)
                let arguments = PrepareArguments(
                    memoryMB: 64, databases: [], users: [], mountPoint: "/var/lib/files", configContents: "size=1",
                    dsVersion: "1")
                try await guest.prepare(fixture.id, arguments, context: Self.context)
                #expect(
                    try await eventually(within: .seconds(30)) { await fixture.conductor.statuses.last == .healthy })
                #expect(await fixture.conductor.heartbeats.allSatisfy { $0.instanceID == fixture.id })
                // A call of the guest: its reply comes to a queue of its own, sealed.
                let message = PluginMessage(
                    instanceID: fixture.id, pluginID: "org.example.files", method: "m", payload: ["secret": 1])
                let answer = try await ConductorClient(bus).callPlugin(
                    message, context: Self.context, timeout: .seconds(20))
                #expect(answer == ["heard": ["secret": 1]])
                _ = try await guest.call(fixture.id, .stopDatabase, context: Self.context)
            }
        }
    }

    @Test("a plain call is refused, one under a wrong key is dropped; neither reaches the agent")
    func refuses() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.withAgent { endpoint, _ in
                let id = fixture.id
                try await fixture.withControl(nil) { guest in
                    let error = await #expect(throws: MessagingError.self) {
                        try await guest.call(id, .ping, context: Self.context)
                    }
                    #expect(error?.code == .remote && error?.message.contains("not sealed") == true)
                }
                let wrong = ControlKeyring(keys: [id: try RPCKey.make()])
                let body = try await wrong.seal(
                    RequestMessage(
                        method: "rpc_ping", arguments: [:], version: "1.0", context: Self.context, uniqueID: "wrong"),
                    topic: fixture.topic
                ).body
                try await fixture.publish(body)
                try await fixture.publish(Array("no JSON".utf8))
                #expect(try await GuestClient(fixture.control).call(id, .ping, context: Self.context) == true)
                #expect(endpoint.count == 1)
            }
        }
    }

    @Test("a request that is sent again is dropped, also under another id")
    func replay() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.withAgent { endpoint, _ in
                let body = try await fixture.keyring.seal(
                    RequestMessage(
                        method: "rpc_ping", arguments: [:], version: "1.0", context: Self.context, uniqueID: "once"),
                    topic: fixture.topic
                ).body
                var members = try Envelope.open(body)
                members["_unique_id"] = "twice"
                for copy in [body, body, Envelope.close(members), body] { try await fixture.publish(copy) }
                let guest = GuestClient(fixture.control)
                #expect(try await guest.call(fixture.id, .ping, context: Self.context) == true)
                #expect(endpoint.count == 2)
            }
        }
    }

    @Test("with a stolen account nobody reports for another instance, nor for its own without the key")
    func forges() async throws {
        let other = "33333333-0000-4000-8000-000000000003"
        try await BrokerFixture.run(others: [other: try RPCKey.make()]) { fixture in
            let now = SystemWallClock().now
            func report(_ bus: any MessageBus, for id: String) async throws {
                try await ConductorClient(bus).heartbeat(id, status: .crashed, volumeUsedBytes: nil, sent: now)
                await bus.close()
            }
            try await report(try fixture.guestBus(key: fixture.key), for: other)
            try await report(try fixture.guestBus(id: other, key: fixture.key), for: other)
            try await report(try fixture.guestBus(key: nil), for: other)
            try await report(try fixture.guestBus(key: nil), for: fixture.id)
            try await report(try fixture.guestBus(key: try RPCKey.make()), for: fixture.id)
            try await report(try fixture.guestBus(key: fixture.key), for: fixture.id)
            #expect(try await eventually { await !fixture.conductor.heartbeats.isEmpty })
            #expect(await fixture.conductor.heartbeats.map(\.instanceID) == [fixture.id])
        }
    }

    @Test("the program serves at a broker, small, and ends cleanly", .enabled(if: Built.hasAgent))
    func program() async throws {
        try await BrokerFixture.run { fixture in
            try await AgentProgramTests.withProgram(fixture.instance) { (process: Process) async throws -> Void in
                let guest = GuestClient(fixture.control)
                let id = fixture.id
                #expect(try await eventually { (try? await guest.call(id, .ping, context: Self.context)) == true })
                let rollup = try String(
                    contentsOfFile: "/proc/\(process.processIdentifier)/smaps_rollup", encoding: .utf8)
                let line = try #require(rollup.split(separator: "\n").first { $0.hasPrefix("Pss:") })
                let kib = try #require(line.split(separator: " ").compactMap { Int($0) }.first)
                #expect(kib <= 20 << 10, "the agent has \(kib) KiB")
                AgentProgramTests.end(process, SIGTERM)
                #expect(process.terminationStatus == 0 && process.terminationReason == .exit)
                let log = fixture.instance.content("log/agent.log") ?? ""
                #expect(!log.contains(fixture.key.secret.revealed), "the key is in the log")
            }
        }
    }

    @Test("when its account is removed the agent is cut off at once")
    func removed() async throws {
        try await BrokerFixture.run { fixture in
            try await fixture.withAgent { _, bus in
                let guest = GuestClient(fixture.control)
                #expect(try await guest.call(fixture.id, .ping, context: Self.context) == true)
                try await fixture.removeAccount()
                #expect(try await eventually(within: .seconds(5)) { !bus.isConnected })
            }
        }
    }
}
