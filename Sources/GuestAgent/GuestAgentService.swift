// SPDX-License-Identifier: Apache-2.0

package import Calls
package import Logging
import Messaging
package import Model
package import ObjectStore
import PluginHost
import PluginObjects

/// One instance's agent: performs the verbs of the bus, keeps the engine as it should be and reports.
package actor GuestAgentService: GuestEndpoint {
    /// How often things are looked at.
    package struct Timing: Sendable {
        package var volumeInterval: Duration = .seconds(5)
        /// Between questions to the datastore; never longer than the report interval.
        package var statusInterval: Duration = .seconds(10)
        /// How long an interrupted backup may be asked for again before it is reported as failed.
        package var backupGrace: Duration = .seconds(10)
        package var policy = EngineStateMachine.Policy()

        package init() {}
    }

    let configuration: GuestConfiguration
    let plugins: GuestPlugins
    let supervisor: EngineSupervisor
    let preparation: Preparation
    let backups: BackupRunner
    let mailbox: ConductorMailbox
    let verbs: DatastoreVerbs
    let logs: GuestLogs
    let tls: EngineTLS
    let volume: DataVolume
    let timing: Timing
    let logger: Logger
    let ownLog: RotatingLog

    /// Only while the engine runs.
    var health: EngineStatus.Health?
    var dataBytes: Int?
    var engine = EngineSnapshot(state: .stopped)
    var preparationState: PreparationState = .unprepared
    var volumeLevel = DataVolume.Level.normal
    var told: ServiceStatus?
    var toldAt: ContinuousClock.Instant?
    var loops: [Task<Void, Never>] = []
    private let changes: AsyncStream<Change>
    /// How the agent before this one trapped.
    private let fault: PluginFault?

    /// What the parts tell, in order.
    enum Change: Sendable {
        case engine(EngineSnapshot)
        case preparation(PreparationState)
        case plugin(PluginReport, RequestContext?)
    }

    /// - Parameters:
    ///   - conductor: Where reports go.
    ///   - probeCommand: Program and arguments that try a plugin's library in a child; its path is appended.
    ///   - fault: How the last agent trapped.
    /// - Throws: `.storage` when the state directory cannot be used.
    package init(
        configuration: GuestConfiguration, conductor: ConductorClient, objectStore: any ObjectStore,
        probeCommand: [String], fault: PluginFault?, logger: Logger, timing: Timing = Timing()
    ) throws(GuestAgentError) {
        self.configuration = configuration
        self.timing = timing
        self.logger = logger
        self.fault = fault
        let (changes, continuation) = AsyncStream.makeStream(of: Change.self)
        self.changes = changes
        plugins = GuestPlugins(
            configuration: configuration, probeCommand: probeCommand,
            marks: try CallMarks(stateDirectory: configuration.stateDirectory, fault: fault),
            services: Self.services(
                configuration, conductor, reporter: GuestReporter { continuation.yield(.plugin($0, $1)) }),
            logger: logger)
        mailbox = ConductorMailbox(instanceID: configuration.instanceID, conductor: conductor, logger: logger)
        let supervisor = EngineSupervisor(
            configuration: configuration, launcher: DatastoreLauncher(plugins), logger: logger, policy: timing.policy,
            onChange: { continuation.yield(.engine($0)) })
        self.supervisor = supervisor
        preparation = Preparation(
            configuration: configuration,
            steps: PreparationSteps(
                plugins: plugins, supervisor: supervisor,
                restore: Restore(configuration: configuration, plugins: plugins, store: objectStore, logger: logger),
                logger: logger),
            mailbox: mailbox, logger: logger, onChange: { continuation.yield(.preparation($0)) })
        backups = try BackupRunner(
            configuration: configuration,
            transfer: BackupTransfer(
                configuration: configuration, plugins: plugins, store: objectStore, logger: logger),
            mailbox: mailbox, logger: logger, isEngineUp: { await supervisor.snapshot.state == .running })
        verbs = DatastoreVerbs(plugins: plugins)
        logs = GuestLogs(configuration: configuration, plugins: plugins, supervisor: supervisor, logger: logger)
        tls = EngineTLS(configuration: configuration, plugins: plugins, supervisor: supervisor, logger: logger)
        volume = DataVolume(path: configuration.dataDirectory)
        ownLog = RotatingLog(path: configuration.logDirectory + "/agent.log")
        if let fault {
            logger.error(
                "the last agent was ended by a signal in a plugin",
                metadata: ["plugin.id": "\(fault.pluginID)", "signal": "\(fault.signal)"])
        }
    }

    /// Takes up what the last agent left and begins to watch and report. The bus is served by the caller.
    ///
    /// - Throws: `.storage` when the engine's records cannot be read.
    package func start() async throws {
        if let fault, !fault.pluginID.isEmpty { await mailbox.post(.pluginFault(fault)) }
        await plugins.load()
        loops.append(Task { [changes] in for await change in changes { await self.handle(change) } })
        loops.append(Task { await self.watchVolume() })
        loops.append(Task { await self.watchStatus() })
        try await supervisor.resume()
        _ = await preparation.resume()
        await backups.resume(grace: timing.backupGrace)
        loops.append(Task { await self.tls.resume() })
    }

    /// Ends reporting and watching within `limit`; the engine goes on.
    package func stop(limit: Duration = .seconds(5)) async {
        for loop in loops { loop.cancel() }
        await preparation.release()
        await backups.release()
        await supervisor.release()
        await mailbox.close(deadline: .after(limit))
        await plugins.close()
    }

    package func perform(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], context: RequestContext
    ) async throws -> JSONValue {
        do {
            return try await answer(verb, arguments, context)
        } catch {
            let fault = GuestFaults.fault(error, verb: verb)
            logger.error(
                "a verb failed",
                metadata: [
                    "rpc.method": "\(verb.rawValue)", "request.id": "\(context.requestID)",
                    "error.code": "\(fault.className)", "error": "\(fault.message)",
                ])
            throw fault
        }
    }

    private func answer(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], _ context: RequestContext
    ) async throws -> JSONValue {
        let deadline = Deadline.after(verb.timeout - .seconds(3))
        switch verb {
        case .ping:
            // Who asks whether the agent is there hears of the engine, too.
            await report(isForced: true)
            return true
        case .prepare:
            await preparation.prepare(try PrepareArguments(arguments: arguments), context: context)
            return .null
        case .restart:
            try requirePrepared()
            plugins.marks.forgive(DatastoreLauncher.verb)
            plugins.marks.forgive("status")
            try await supervisor.restart(deadline: deadline)
            return .null
        case .stopDatabase:
            try await supervisor.stop(deadline: deadline)
            return .null
        case .getFilesystemStats: return try volume.stats().json
        case .getDiagnostics:
            guard let pid = await supervisor.snapshot.pid else {
                throw GuestAgentError(.notReady, "the database is not running (\(told?.text ?? "unknown"))")
            }
            return try EngineResources(configuration: configuration).diagnostics(pid: pid).json
        case .getHardware: return EngineResources(configuration: configuration).hardware.json
        case .createBackup:
            try await backups.create(try BackupInfo(json: arguments["backup_info"] ?? .null), context: context)
            return .null
        case .applyConfiguration:
            // Also while the engine is down: with the configuration that it does not start with it must be possible to end.
            try requirePrepared()
            return try await ConfigurationVerb(plugins: plugins).perform(
                arguments, deadline: deadline, context: context)
        case .preUpgrade, .upgrade, .postUpgrade:
            try requirePrepared()
            return try await UpgradeVerbs(plugins: plugins, supervisor: supervisor).perform(
                verb, arguments, deadline: deadline, context: context)
        case .pluginCall, .pluginCast:
            return try await PeerVerb(plugins: plugins).perform(arguments, deadline: deadline, context: context)
        case .pluginAction:
            try requirePrepared()
            return try await ActionVerb(plugins: plugins).perform(arguments, deadline: deadline, context: context)
        case .guestLogList:
            try requirePrepared()
            return try await logs.list(deadline, context)
        case .guestLogAction:
            try requirePrepared()
            let reply = try await logs.act(arguments, deadline, context)
            await report(isForced: false)
            return reply
        case .sslShow:
            try requirePrepared()
            return try await tls.show(deadline, context)
        case .sslAction, .sslRollback:
            try requirePrepared()
            let reply =
                verb == .sslAction
                ? try await tls.act(arguments, deadline, context) : try await tls.rollBack(deadline, context)
            await report(isForced: false)
            return reply
        case .moduleList:
            try requirePrepared()
            return try ModuleVerbs(plugins: plugins).list(arguments)
        case .moduleApply:
            try requirePrepared()
            return try await ModuleVerbs(plugins: plugins).apply(
                arguments, deadline: deadline, context: context, now: SystemWallClock().now)
        case .moduleRemove:
            try requirePrepared()
            return try await ModuleVerbs(plugins: plugins).remove(arguments, deadline: deadline, context: context)
        default: return try await askDatastore(verb, arguments, context)
        }
    }

    private func askDatastore(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], _ context: RequestContext
    ) async throws -> JSONValue {
        try requirePrepared()
        guard await supervisor.snapshot.state == .running else {
            throw GuestAgentError(.notReady, "the database is not running (\(told?.text ?? "unknown"))")
        }
        let request = DatastoreVerbs.Request(verb: verb, arguments: arguments, context: context)
        guard let reply = try await verbs.perform(request) else {
            throw RPCFault.noSuchMethod(verb.rawValue)
        }
        if verb == .enableRoot || verb == .enableRootWithPassword || verb == .disableRoot {
            let isEnabled = verb != .disableRoot
            await mailbox.post(.root(userID: context.userID, isEnabled: isEnabled), context: context)
        }
        return reply
    }

    private static func services(
        _ configuration: GuestConfiguration, _ conductor: ConductorClient, reporter: GuestReporter
    ) -> PluginServices {
        let objects = configuration.pluginObjectDirectory
        return PluginServices(
            values: FileKeyValueStore(directory: configuration.state("values")),
            objects: objects.isEmpty ? nil : PluginObjects(root: objects),
            peer: GuestPeer(instanceID: configuration.instanceID, conductor: conductor), reporter: reporter,
            projectID: configuration.projectID)
    }

    private func requirePrepared() throws(GuestAgentError) {
        guard preparationState == .prepared else {
            throw GuestAgentError(.notReady, "the instance is not prepared")
        }
    }
}
