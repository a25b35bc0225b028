// SPDX-License-Identifier: Apache-2.0

import Calls
import Logging
import Messaging
import Model
import PluginHost

/// `ssl_show`, `ssl_action` and `ssl_rollback`: the TLS of the engine.
///
/// Request: `{}`, or `{"mode", "container": {"private_key", "certificate", "ca"} or null, "enable", "disable"}`, PEM texts.
/// Reply:   of ssl_show `{"status": "on" | "off", "mode", "certificate"?: {"cn", "expire_at", "san", "payload"}}`; of the others
///          `{"status", "mode", "restart_required"}`.
/// Source:  guest RPC of the reference service, version 1.3.
///
/// A change either is in effect, or with the engine's next start, or everything is as it was before: what is applied is
/// written down first, and an interrupted one is taken back by the next agent.
actor EngineTLS {
    private let configuration: GuestConfiguration
    private let plugins: GuestPlugins
    private let supervisor: EngineSupervisor
    private let files: EngineKeyFiles
    private let logger: Logger
    private var isBusy = false
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var staleEngine: Int32?

    private var path: String { Self.path(configuration) }
    private static func path(_ configuration: GuestConfiguration) -> String { configuration.state("tls.json") }

    init(configuration: GuestConfiguration, plugins: GuestPlugins, supervisor: EngineSupervisor, logger: Logger) {
        self.configuration = configuration
        self.plugins = plugins
        self.supervisor = supervisor
        self.logger = logger
        files = EngineKeyFiles(configuration)
        staleEngine = (try? TLSRecord.load(Self.path(configuration)))?.restartAfter
    }

    /// Puts the engine's files there, before a start.
    static func prepareLaunch(_ configuration: GuestConfiguration) throws(GuestAgentError) {
        try EngineKeyFiles(configuration).place(try TLSRecord.load(path(configuration)).effective)
    }

    /// Whether the engine must be started anew before its TLS is as it was asked for.
    func isRestartRequired(_ pid: Int32?) -> Bool { pid != nil && pid == staleEngine }

    /// Takes back what an earlier agent did not live to finish.
    func resume() async {
        do {
            guard try TLSRecord.load(path).next != nil else { return }
            try await alone { _ = try await self.settled(.after(.seconds(120)), RequestContext(requestID: "")) }
        } catch {
            logger.error("an interrupted change of TLS was not taken back yet", metadata: ["error": "\(error)"])
        }
    }

    func show(_ deadline: Deadline, _ context: RequestContext) async throws -> JSONValue {
        let record = try TLSRecord.load(path)
        let isOn = try await isOn(record, deadline, context)
        var reply: [String: JSONValue] = ["status": isOn ? "on" : "off", "mode": .string(record.current.busMode)]
        if record.current.mode != .off {
            let details = try CertificateChain(record.current.certificate, "certificate").details
            reply["certificate"] = [
                "cn": .string(details.commonName), "expire_at": .string(details.expires.text),
                "san": .array(details.names.map(JSONValue.string)), "payload": .string(record.current.certificate),
            ]
        }
        return .object(reply)
    }

    /// `ssl_action`.
    func act(
        _ arguments: [String: JSONValue], _ deadline: Deadline, _ context: RequestContext
    ) async throws -> JSONValue {
        let wanted = try TLSRequest.generation(arguments)
        try Self.check(wanted)
        return try await alone {
            let record = try await self.settled(deadline, context)
            return try await self.change(record, to: wanted, deadline, context)
        }
    }

    /// `ssl_rollback`: back to what was there before the last change, which is then the one before.
    func rollBack(_ deadline: Deadline, _ context: RequestContext) async throws -> JSONValue {
        try await alone {
            let record = try await self.settled(deadline, context)
            guard let previous = record.previous else {
                throw RPCFault(className: "BadRequest", message: "There is no earlier TLS to go back to.")
            }
            try Self.check(previous)
            return try await self.change(record, to: previous, deadline, context)
        }
    }

    // MARK: Parts

    private static func check(_ generation: TLSGeneration) throws(RPCFault) {
        guard generation.mode != .off else { return }
        let now = SystemWallClock().now
        let chain = try CertificateChain(generation.certificate, "certificate")
        try chain.check(key: generation.privateKey, now: now)
        if let authority = generation.authority {
            try CertificateChain(authority, "authority").checkAuthorities(now: now)
        } else if generation.mode == .mtls {
            throw CertificateChain.refusal(
                "the mode mtls needs the authority of the clients' certificates; put it into the container's"
                    + " intermediates")
        }
    }

    /// - Throws: what failed, once everything is as it was before.
    private func change(
        _ before: TLSRecord, to wanted: TLSGeneration, _ deadline: Deadline, _ context: RequestContext
    ) async throws -> JSONValue {
        let begun = try begin(before, wanted)
        let isLate = try await attempt(begun, wanted, deadline, context)
        try finish(begun, wanted, engineToEnd: await engineToEnd(isLate))
        return reply(wanted, isLate, context)
    }

    // The three below stay functions of their own: inlined into the coroutine, the optimizer of Swift 6.3 crashes.

    /// Writes down what is to be applied.
    @inline(never)
    private func begin(_ before: TLSRecord, _ wanted: TLSGeneration) throws -> TLSRecord {
        var record = before
        record.next = wanted
        try record.save(path)
        return record
    }

    /// Writes down that `wanted` is in effect.
    @inline(never)
    private func finish(_ begun: TLSRecord, _ wanted: TLSGeneration, engineToEnd: Int32?) throws {
        var record = begun
        if wanted != record.current {
            record.previous = record.current
            record.current = wanted
        }
        record.next = nil
        record.restartAfter = engineToEnd
        try record.save(path)
        staleEngine = record.restartAfter
        try files.place(record.current)
    }

    @inline(never)
    private func reply(_ wanted: TLSGeneration, _ isLate: Bool, _ context: RequestContext) -> JSONValue {
        logger.notice(
            "the engine's TLS was changed",
            metadata: ["mode": "\(wanted.busMode)", "restart": "\(isLate)", "request.id": "\(context.requestID)"])
        return [
            "status": wanted.mode == .off ? "off" : "on", "mode": .string(wanted.busMode),
            "restart_required": .bool(isLate),
        ]
    }

    /// Applies `wanted`, or has everything as it was before and says what failed.
    private func attempt(
        _ record: TLSRecord, _ wanted: TLSGeneration, _ deadline: Deadline, _ context: RequestContext
    ) async throws -> Bool {
        do {
            try files.place(record.effective)
            return try await apply(wanted, deadline, context)
        } catch {
            await undo(record, context)
            throw error
        }
    }

    private func undo(_ record: TLSRecord, _ context: RequestContext) async {
        do { _ = try await takeBack(record, context) } catch {
            logger.error("TLS is not yet as it was before", metadata: ["error": "\(error)"])
        }
    }

    /// The engine that must be started anew for a change that is late; nil for none.
    private func engineToEnd(_ isLate: Bool) async -> Int32? {
        guard isLate else { return nil }
        return await supervisor.snapshot.pid
    }

    /// The record, with nothing left to be taken back.
    private func settled(_ deadline: Deadline, _ context: RequestContext) async throws -> TLSRecord {
        let record = try TLSRecord.load(path)
        // An engine without TLS is refused before anything is written down.
        _ = try await isOn(record, deadline, context)
        guard record.next != nil else { return record }
        return try await takeBack(record, context)
    }

    /// Applies `current` again.
    private func takeBack(_ interrupted: TLSRecord, _ context: RequestContext) async throws -> TLSRecord {
        var record = interrupted
        try files.place(record.current.mode == .off ? record.effective : record.current)
        let isLate = try await apply(record.current, .after(.seconds(60)), context)
        record.next = nil
        record.restartAfter = await engineToEnd(isLate)
        try record.save(path)
        staleEngine = record.restartAfter
        try files.place(record.current)
        return record
    }

    private func apply(
        _ generation: TLSGeneration, _ deadline: Deadline, _ context: RequestContext
    ) async throws -> Bool {
        let reply = try await plugins.tls(
            .apply, files.request(generation), verb: GuestVerb.sslAction.rawValue, deadline: deadline, context: context)
        guard let isLate = reply["restart_required"]?.boolValue else {
            throw GuestAgentError(.invalid, "the datastore does not say whether the engine needs a restart")
        }
        return isLate
    }

    /// What the engine does; of one that is down, what it will do.
    private func isOn(
        _ record: TLSRecord, _ deadline: Deadline, _ context: RequestContext
    ) async throws -> Bool {
        do throws(PluginError) {
            let status = try await plugins.tls(
                .show, [:], verb: GuestVerb.sslShow.rawValue, deadline: deadline, context: context)
            return status["status"] == "on"
        } catch  where error.code == .unavailable {
            return record.current.mode != .off
        }
    }

    /// One request after the other.
    private func alone<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        if isBusy { await withCheckedContinuation { waiters.append($0) } }
        isBusy = true
        defer {
            if waiters.isEmpty { isBusy = false } else { waiters.removeFirst().resume() }
        }
        return try await body()
    }
}
