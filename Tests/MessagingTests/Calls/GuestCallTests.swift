// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import Synchronization
import Testing

/// Hands requests to an endpoint at once, as a bus would, and keeps them.
struct DirectClient: RPCClient {
    struct Sent: Sendable {
        var topic: String
        var request: RPCRequest
        var timeout: Duration?
    }

    let endpoint: any RPCEndpoint
    let sent = Recorder<Sent>()

    func call(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext,
        timeout: Duration, version: String
    ) async throws(MessagingError) -> JSONValue {
        let request = RPCRequest(method: method, version: version, arguments: arguments, context: context)
        sent.append(Sent(topic: topic, request: request, timeout: timeout))
        do {
            return try await endpoint.handle(request)
        } catch {
            throw MessagingError(.remote, "\(error)")
        }
    }

    func cast(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) {
        let request = RPCRequest(
            method: method, version: version, arguments: arguments, context: context, isCall: false)
        sent.append(Sent(topic: topic, request: request))
        do {
            _ = try await endpoint.handle(request)
        } catch {
            throw MessagingError(.remote, "\(error)")
        }
    }
}

/// Answers every verb with its name and arguments.
private struct EchoGuest: GuestEndpoint {
    func perform(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], context: RequestContext
    ) async throws -> JSONValue {
        ["verb": .string(verb.rawValue), "arguments": .object(arguments)]
    }
}

@Suite("Guest calls")
struct GuestCallTests {
    private func arguments(_ verb: GuestVerb, optional: Bool = true) -> [String: JSONValue] {
        let names = verb.arguments.required + (optional ? verb.arguments.optional : [])
        return Dictionary(uniqueKeysWithValues: names.map { ($0, JSONValue.null) })
    }

    @Test("every verb travels with its topic, kind, version and timeout, and arrives with its arguments")
    func everyVerb() async throws {
        for verb in GuestVerb.allCases {
            let direct = DirectClient(endpoint: GuestDispatcher(EchoGuest()))
            let arguments = arguments(verb)
            let reply = try await GuestClient(direct).call("i1", verb, arguments, context: .test)
            let sent = try #require(direct.sent.values.first)
            #expect(sent.topic == "guestagent.i1" && sent.request.method == verb.rawValue)
            #expect(sent.request.version == verb.version)
            #expect(sent.timeout == (verb.kind == .call ? verb.timeout : nil))
            #expect(
                reply
                    == (verb.kind == .cast ? .null : ["verb": .string(verb.rawValue), "arguments": .object(arguments)]))
            let implemented = try #require(RPCVersion(GuestDispatcher(EchoGuest()).implementedVersion))
            #expect(implemented.accepts(try #require(RPCVersion(verb.version))))
        }
    }

    @Test("optional arguments may be left out", arguments: GuestVerb.allCases)
    func optional(_ verb: GuestVerb) async throws {
        let dispatcher = GuestDispatcher(EchoGuest())
        let request = RPCRequest(method: verb.rawValue, arguments: arguments(verb, optional: false), context: .test)
        _ = try await dispatcher.handle(request)
    }

    @Test("a missing argument is a TypeError that names it, on both ends", arguments: GuestVerb.allCases)
    func missing(_ verb: GuestVerb) async throws {
        for name in verb.arguments.required {
            var arguments = arguments(verb)
            arguments[name] = nil
            let request = RPCRequest(method: verb.rawValue, arguments: arguments, context: .test)
            let fault = await #expect(throws: RPCFault.self) {
                try await GuestDispatcher(EchoGuest()).handle(request)
            }
            #expect(fault?.className == "TypeError" && fault?.module == "builtins")
            #expect(fault?.message.contains("'\(name)'") == true)
            let direct = DirectClient(endpoint: GuestDispatcher(EchoGuest()))
            let error = await #expect(throws: MessagingError.self) {
                try await GuestClient(direct).call("i1", verb, arguments, context: .test)
            }
            #expect(error?.code == .badMessage && direct.sent.values.isEmpty)
        }
    }

    @Test("an unexpected argument is a TypeError that names it, not its value", arguments: GuestVerb.allCases)
    func unexpected(_ verb: GuestVerb) async throws {
        var arguments = arguments(verb)
        arguments["stranger"] = "hidden"
        let request = RPCRequest(method: verb.rawValue, arguments: arguments, context: .test)
        let fault = await #expect(throws: RPCFault.self) { try await GuestDispatcher(EchoGuest()).handle(request) }
        #expect(fault?.message == "\(verb.rawValue)() got an unexpected keyword argument 'stranger'")
    }

    @Test("an unknown method is refused as such")
    func unknown() async throws {
        let request = RPCRequest(method: "update_status", context: .test)
        let fault = await #expect(throws: RPCFault.self) { try await GuestDispatcher(EchoGuest()).handle(request) }
        #expect(fault == .noSuchMethod("update_status"))
    }

    @Test("timeouts are the low and the high one")
    func timeouts() {
        #expect(GuestVerb.ping.timeout == .seconds(15))
        #expect(GuestVerb.listUsers.timeout == .seconds(180))
        #expect(GuestVerb.enableRoot.timeout == .seconds(180))
        #expect(Set(GuestVerb.allCases.map(\.timeout)) == [.seconds(15), .seconds(180)])
    }

    @Test("the typed wrappers send what their verbs declare")
    func wrappers() async throws {
        let stats = FilesystemStats(blockSize: 4096, totalBlocks: 1000, freeBlocks: 400, availableBlocks: 300)
        let direct = DirectClient(
            endpoint: ClosureEndpoint { $0.method == "rpc_ping" ? true : stats.json })
        let guest = GuestClient(direct)
        try await guest.ping("i", context: .test)
        try await guest.restart("i", context: .test)
        try await guest.stopDatabase("i", context: .test)
        #expect(try await guest.filesystemStats("i", context: .test) == stats)
        #expect(direct.sent.values.map(\.request.method) == ["rpc_ping", "restart", "stop_db", "get_filesystem_stats"])
        let broken = GuestClient(DirectClient(endpoint: ClosureEndpoint { _ in "no" }))
        await #expect(throws: MessagingError.self) { try await broken.ping("i", context: .test) }
        await #expect(throws: MessagingError.self) { try await broken.filesystemStats("i", context: .test) }
    }

    @Test("volume numbers are in the units of the wire")
    func stats() {
        let gib = 1 << 30
        let stats = FilesystemStats(
            blockSize: 4096, totalBlocks: 2 * gib / 4096, freeBlocks: gib / 4096, availableBlocks: 1)
        #expect(stats.json["total"] == 2.0 && stats.json["used"] == 1.0 && stats.json["free"] == .int(Int64(gib)))
        #expect(FilesystemStats(json: ["block_size": -1]) == nil)
    }
}
