// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost
import StateStore
import Synchronization
import Testing

@testable import TaskManager

@Suite("host services in the worker")
struct PluginServicesTests {
    private static let context = RequestContext(requestID: "req-1", projectID: "p")

    private func code(_ body: () async throws(PluginError) -> some Sendable) async -> PluginError.Code? {
        do throws(PluginError) {
            _ = try await body()
            return nil
        } catch { return error.code }
    }

    @Test("values keep their bytes and their revisions")
    func values() async throws {
        let fixture = try EngineFixture()
        let services = ControlPluginServices(
            store: fixture.store, guests: GuestClient(AbsentBus()), logger: fixture.logger)
        let bytes: [UInt8] = [0, 255, 10, 39]
        let first = try await services.putValue("a", bytes, expected: .absent, of: "x")
        #expect(try await services.value("a", of: "x") == StoredValue(value: bytes, revision: first))
        #expect(
            await code { () throws(PluginError) in try await services.putValue("a", [], expected: .absent, of: "x") }
                == .preconditionFailed)
        let second = try await services.putValue("a", [], expected: .exactly(first), of: "x")
        #expect(
            await code { () throws(PluginError) in
                try await services.removeValue("a", expected: .exactly(first), of: "x")
            } == .preconditionFailed)
        #expect(try await services.value("a", of: "y") == nil)
        _ = try await services.putValue("b", [1], expected: .any, of: "x")
        let page = try await services.listValues(NameRange(limit: 1), of: "x")
        #expect(page == KeyPage(items: [.init(key: "a", revision: second)], next: "a"))
        try await services.removeValue("a", expected: .exactly(second), of: "x")
        #expect(try await services.value("a", of: "x") == nil)
        await fixture.store.close()
    }

    @Test("a message reaches guests of the caller's project only")
    func messages() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .none)
        let bus = EchoBus()
        let services = ControlPluginServices(store: fixture.store, guests: GuestClient(bus), logger: fixture.logger)
        func send(
            _ instance: String?, _ context: RequestContext, waits: Bool = true
        ) async throws(PluginError) -> JSONValue {
            try await services.message(
                PeerMessage(instanceID: instance, method: "greet", payload: [1]), to: "x", waits: waits,
                context: context)
        }
        #expect(
            try await send("i1", Self.context) == ["plugin": "x", "method": "greet", "payload": [1]])
        #expect(try await send("i1", Self.context, waits: false) == .null)
        #expect(try await send("i1", RequestContext(requestID: "")) != .null)
        #expect(bus.methods == ["plugin_rpc", "plugin_cast", "plugin_rpc"])
        let foreign = RequestContext(requestID: "req-2", projectID: "other")
        #expect(await code { () throws(PluginError) in try await send("i1", foreign) } == .notFound)
        #expect(await code { () throws(PluginError) in try await send("none", Self.context) } == .notFound)
        #expect(await code { () throws(PluginError) in try await send(nil, Self.context) } == .invalidArgument)
        bus.fails.withLock { $0 = true }
        #expect(await code { () throws(PluginError) in try await send("i1", Self.context) } == .busy)
        await fixture.store.close()
    }

    @Test("a guest's message reaches the plugin with the instance's project")
    func peer() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .none)
        let endpoint = PeerEndpoint(store: fixture.store, plugins: EchoPlugins())
        let message = PluginMessage(instanceID: "i1", pluginID: "x", method: "greet", payload: [2])
        let answer = try await endpoint.handle(message, context: RequestContext(requestID: "req-3"))
        #expect(
            answer == [
                "project": "p", "plugin": "x",
                "message": ["from": "guest", "instance_id": "i1", "method": "greet", "payload": [2]],
            ])
        let stranger = PluginMessage(instanceID: "none", pluginID: "x", method: "greet", payload: .null)
        await #expect(throws: RPCFault.self) {
            try await endpoint.handle(stranger, context: RequestContext(requestID: "req-3"))
        }
        await fixture.store.close()
    }
}

private struct EchoPlugins: ControlPlugins {
    var plugins: [PluginDescription] { get async { [] } }
    var routes: [PluginRoute] { get async { [] } }

    func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue { .null }

    func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue { .null }

    func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions,
        control: any ControlHandler
    ) async throws(PluginError) -> ActionResult { throw PluginError(.unsupported, "no actions") }

    func peer(
        _ reference: String, _ message: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        ["project": .string(options.context.projectID), "plugin": .string(reference), "message": message]
    }
}

private final class EchoBus: RPCClient {
    private let seen = Mutex<[String]>([])
    let fails = Mutex(false)

    var methods: [String] { seen.withLock { $0 } }

    func call(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext,
        timeout: Duration, version: String
    ) async throws(MessagingError) -> JSONValue {
        seen.withLock { $0.append(method) }
        if fails.withLock({ $0 }) {
            throw MessagingError(
                .remote, "failed",
                failure: RPCFailure(className: "PluginError", module: "trove.plugin.busy", message: "not now"))
        }
        return .object(arguments)
    }

    func cast(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) { seen.withLock { $0.append(method) } }
}
