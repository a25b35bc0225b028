// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("Calls of actions")
struct ActionCallTests {
    private func withActions(_ body: (PluginRegistry) async throws -> Void) async throws {
        try await withPlugins { (fixture: PluginFixture) async throws -> Void in
            try fixture.install("act", ActionSource.text, provides: ActionSource.provides) {
                $0["actions"] = ActionSource.declarations()
            }
            let registry = try fixture.load(.guest, enabled: ["test.act"], probes: true)
            try #require(registry.refusals == [])
            try await body(registry)
            registry.shutdown()
        }
    }

    private func call(
        _ registry: PluginRegistry, _ name: String, _ arguments: JSONValue, _ limit: Duration = .seconds(10)
    ) async throws(PluginError) -> JSONValue? {
        try await registry.action("test.act", name, arguments, PluginFixture.options(limit)).value
    }

    @Test("every type arrives at its limits, typed and packed", arguments: ["every", "every_packed"])
    func limits(_ name: String) async throws {
        try await withActions { (registry: PluginRegistry) async throws -> Void in
            let low: JSONValue = [
                "b": false, "i": .int(Int64(Int32.min)), "l": "-9223372036854775808", "u": 0,
                "d": -1.7976931348623157e308,
                "s": "", "y": "", "j": .null,
            ]
            #expect(
                try await call(registry, name, low) == [
                    "0", "-2147483648", "-9223372036854775808", "0", "-1.7976931348623157e+308", "", "", "6e756c6c",
                ])
            let high: JSONValue = [
                "b": true, "i": "2147483647", "l": "9223372036854775807", "u": "18446744073709551615",
                "d": .double(.leastNonzeroMagnitude),
                "s": "a\0ü", "y": "AP8=", "j": ["k": [1]],
            ]
            #expect(
                try await call(registry, name, high) == [
                    "1", "2147483647", "9223372036854775807", "18446744073709551615", "4.9406564584124654e-324",
                    "6100c3bc", "00ff", "7b226b223a5b315d7d",
                ])
            let absent: JSONValue = ["b": true, "i": 0, "u": 1, "d": 0]
            #expect(try await call(registry, name, absent) == ["1", "0", "7", "1", "0", "null", "null", "null"])
        }
    }

    @Test("integers past the registers, floats in theirs, and both mixed keep their order")
    func registers() async throws {
        try await withActions { (registry: PluginRegistry) async throws -> Void in
            func members(_ values: [JSONValue]) -> JSONValue {
                .object(Dictionary(uniqueKeysWithValues: zip("abcdefgh".map(String.init), values)))
            }
            let integers: [JSONValue] = [1, -2, 3, -4, 5, -6, 7, -8]
            #expect(try await call(registry, "integers", members(integers)) == .array(integers))
            let floats: [JSONValue] = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]
            #expect(try await call(registry, "floats", members(floats)) == .array(floats))
            let mixed: [JSONValue] = [0.5, -1, 1.5, -2, 2.5, 3, 3.5, true]
            #expect(try await call(registry, "mixed", members(mixed)) == [0.5, -1, 1.5, -2, 2.5, 3, 3.5, 1])
        }
    }

    @Test("an action may emit nothing; a negative status is received whole")
    func results() async throws {
        try await withActions { (registry: PluginRegistry) async throws -> Void in
            #expect(try await call(registry, "nothing", [:]) == nil)
            let error = await failure { () throws(PluginError) in try await call(registry, "negative", [:]) }
            #expect(error?.code == .internal)
            #expect(error?.message.contains("-5") == true)
        }
    }

    @Test("borrowed arguments stay until a pending action completes")
    func pending() async throws {
        try await withActions { (registry: PluginRegistry) async throws -> Void in
            let value = JSONValue.array((0..<100).map { .int($0) })
            #expect(try await call(registry, "pending", ["json": value]) == value)
        }
    }

    @Test("a failure that repeats a secret argument loses its sentence and details")
    func secrets() async throws {
        try await withActions { (registry: PluginRegistry) async throws -> Void in
            let error = await failure { () throws(PluginError) in
                try await call(registry, "tell", ["secret": "hunter\"2"])
            }
            #expect(error?.code == .permissionDenied)
            #expect(error?.message.contains("hunter") == false)
            #expect(error?.details == nil)
            let declaration = try registry.require("test.act").action("tell").declaration
            #expect(declaration.redacted(["secret": "x", "other": 1]) == ["secret": "<redacted>"])
        }
    }

    @Test("the action's own limit ends it before the caller's")
    func timeout() async throws {
        try await withActions { (registry: PluginRegistry) async throws -> Void in
            let start = ContinuousClock.now
            let error = await failure { () throws(PluginError) in try await call(registry, "slow", [:], .seconds(30)) }
            #expect(error?.code == .timedOut)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }

    @Test("arguments are checked again here, and other roles and names are refused")
    func refusals() async throws {
        try await withActions { (registry: PluginRegistry) async throws -> Void in
            func code(_ reference: String, _ name: String, _ arguments: JSONValue) async -> PluginError.Code? {
                await failure { () throws(PluginError) in
                    try await registry.action(reference, name, arguments, PluginFixture.options())
                }?.code
            }
            #expect(await code("test.act", "integers", [:]) == .invalidArgument)
            #expect(await code("test.act", "unknown", [:]) == .notFound)
            #expect(await code("test.other", "nothing", [:]) == .notFound)
        }
    }

    @Test("a function is called without JSON and without a thread, for measuring")
    func direct() async throws {
        try await withActions { (registry: PluginRegistry) async throws -> Void in
            let action = try registry.require("test.act").action("nothing")
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)
            defer { memory.deallocate() }
            #expect(action.call(nil, [], memory: memory) == 0)
            #expect(ActionCall.memory([]) == 0)
        }
    }

    @Test("actions of the control role run in the runner, and a trap there names the plugin")
    func runner() async throws {
        try await withPlugins { (fixture: PluginFixture) async throws -> Void in
            try fixture.install("act", ActionSource.text, provides: ActionSource.provides) {
                $0["actions"] = ActionSource.declarations("control")
                $0["datastores"] = [["name": "files", "versions": ["1", "2"]]]
            }
            let client = PluginRunnerClient(
                command: [PluginFixture.checker, "runner"],
                configuration: fixture.configuration(.control, enabled: ["test.act"], probes: true))
            try await client.start(deadline: .after(.seconds(20)))
            let plugin = try #require(await client.plugins.first)
            #expect(plugin.actions.count == 11)
            #expect(
                plugin.actions.first?.arguments.map(\.type) == [.bool, .i32, .i64, .u64, .f64, .str, .bytes, .json])
            #expect(plugin.datastores == [PluginDatastore(name: "files", versions: ["1", "2"])])
            let options = PluginFixture.options()
            let result = try await client.action("test.act", "pending", ["json": .null], options, control: NoControl())
            #expect(result == ActionResult(value: .null))
            let nothing = try await client.action("test.act@1.0.0", "nothing", [:], options, control: NoControl())
            #expect(nothing == ActionResult(value: nil))
            let error = await failure { () throws(PluginError) in
                try await client.action("test.act", "trap", [:], options, control: NoControl())
            }
            #expect(error?.code == .crashed)
            #expect(error?.pluginID == "test.act")
            await client.shutdown()
        }
    }
}

private struct NoControl: ControlHandler {
    func perform(
        _ operation: String, _ request: JSONValue, context: RequestContext
    ) async throws(PluginError) -> JSONValue { throw PluginError(.unsupported, operation) }
}
