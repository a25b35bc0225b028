// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import Testing

@testable import GuestAgent

@Suite("Configuration in the guest")
struct ConfigurationVerbTests {
    @Test("values and the whole configuration reach the datastore, which says what waits for a restart")
    func apply() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                await VerbTests.expectFault("GuestError") {
                    try await fixture.call(.applyConfiguration, ["values": [:], "config_contents": "x"])
                }
                #expect(try await fixture.prepare())
                let quick = try await fixture.call(
                    .applyConfiguration, ["values": ["quick": 5, "gone": .null], "config_contents": "quick = 5"])
                #expect(quick == ["restart_required": []])
                #expect(fixture.instance.content("data/config") == "\"quick = 5\"")
                let values = try JSONValue(parsing: fixture.instance.content("data/values") ?? "")
                #expect(values == ["quick": 5, "gone": .null])
                let slow = try await fixture.call(
                    .applyConfiguration, ["values": ["slow": 1], "config_contents": "slow = 1"])
                #expect(slow == ["restart_required": ["slow"]])
                // With a configuration that it does not start with, too.
                _ = try await fixture.call(.stopDatabase)
                let down = try await fixture.call(
                    .applyConfiguration, ["values": ["slow": .null], "config_contents": "none"])
                #expect(down == ["restart_required": ["slow"]])
                #expect(fixture.instance.content("data/config") == "\"none\"")
            }
        }
    }

    @Test("a value that the datastore refuses, and arguments that are none, are the caller's faults")
    func refused() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                let before = fixture.instance.content("data/config")
                await VerbTests.expectFault("BadRequest") {
                    try await fixture.call(
                        .applyConfiguration, ["values": ["impossible": 1], "config_contents": "impossible = 1"])
                }
                await VerbTests.expectFault("TypeError") {
                    try await fixture.call(.applyConfiguration, ["values": [], "config_contents": "x"])
                }
                await VerbTests.expectFault("TypeError") {
                    try await fixture.call(.applyConfiguration, ["values": [:], "config_contents": 1])
                }
                #expect(fixture.instance.content("data/config") == before)
            }
        }
    }
}
