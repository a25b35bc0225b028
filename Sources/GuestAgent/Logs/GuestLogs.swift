// SPDX-License-Identifier: Apache-2.0

import Calls
import Logging
import Messaging
import Model
import PluginHost

/// `guest_log_list` and `guest_log_action`: the engine's logs, turned on and off, and published as objects.
///
/// Request: `{}`, or `{"log_name", "enable"?, "disable"?, "publish"?, "discard"?}`.
/// Reply:   log objects, or the one: `{"name", "type": "SYS" | "USER", "status", "published", "pending", "container", "prefix",
///          "metafile"}`, sizes in bytes.
/// Source:  guest RPC and guest logs of the reference service.
actor GuestLogs {
    private let configuration: GuestConfiguration
    private let plugins: GuestPlugins
    private let supervisor: EngineSupervisor
    private let logger: Logger
    private var isBusy = false
    private var waiters: [CheckedContinuation<Void, Never>] = []
    /// Processes of the engine that do not know yet of a log that was turned on or off.
    private var staleEngines: Set<Int32>

    private var recordDirectory: String { configuration.state("logs") }

    init(configuration: GuestConfiguration, plugins: GuestPlugins, supervisor: EngineSupervisor, logger: Logger) {
        self.configuration = configuration
        self.plugins = plugins
        self.supervisor = supervisor
        self.logger = logger
        let directory = configuration.state("logs")
        staleEngines = Set(
            FileAccess.names(in: directory).compactMap { name in
                (try? FileAccess.readJSON(directory + "/" + name)).map { LogRecord(json: $0).restartAfter } ?? nil
            })
    }

    /// Whether the engine must be started anew before all its logs are as they were asked for.
    func isRestartRequired(_ pid: Int32?) -> Bool { pid.map(staleEngines.contains) ?? false }

    /// The logs that the caller may see.
    func list(_ deadline: Deadline, _ context: RequestContext) async throws -> JSONValue {
        try await alone {
            var views: [JSONValue] = []
            for log in try await self.logs(deadline, context) where log.isVisible(to: context) {
                views.append(try await self.view(log))
            }
            return .array(views)
        }
    }

    /// Does what is asked of one log, and shows it.
    func act(
        _ arguments: [String: JSONValue], _ deadline: Deadline, _ context: RequestContext
    ) async throws -> JSONValue {
        let request = try LogRequest(arguments)
        return try await alone {
            guard var log = try await self.logs(deadline, context).first(where: { $0.name == request.name }) else {
                throw RPCFault(className: "NotFound", message: "Log '\(request.name)' is not defined.")
            }
            try log.check(request, context)
            if log.isUser { log.isEnabled = try await self.turn(log, request, deadline, context) }
            if request.isDiscard { try await self.discard(log) }
            if request.isPublish { try await self.publish(log) }
            return try await self.view(log)
        }
    }

    // MARK: Parts

    /// - Returns: Whether the log is on.
    private func turn(
        _ log: EngineLogDescription, _ request: LogRequest, _ deadline: Deadline, _ context: RequestContext
    ) async throws -> Bool {
        // To publish is to want it, unless it is said otherwise.
        let wish = request.isDisable ? false : request.isEnable || request.isPublish ? true : nil
        guard let wish, wish != log.isEnabled else { return log.isEnabled }
        let reply = try await plugins.call(
            .setLog, ["name": .string(log.name), "enabled": .bool(wish)], verb: "set_log", deadline: deadline,
            context: context)
        guard reply["restart_required"]?.boolValue == true, let pid = await supervisor.snapshot.pid else {
            return wish
        }
        var record = try record(log.name)
        record.restartAfter = pid
        try save(record, log.name)
        staleEngines.insert(pid)
        return wish
    }

    private func publish(_ log: EngineLogDescription) async throws {
        let (shelf, record) = (try shelf(log), try record(log.name))
        let (path, roots, name) = (log.file, roots, log.name)
        let save: @Sendable (LogRecord) throws -> Void = { [recordDirectory] in
            try Self.save($0, name, in: recordDirectory)
        }
        do {
            try await OwnThread.run("log-publish") {
                guard let file = try EngineLogFile(path: path, roots: roots) else {
                    throw RPCFault(
                        className: "GuestError",
                        message: "Log '\(name)' cannot be published: the engine has not written it.")
                }
                _ = try shelf.publish(file, record, save: save)
            }
        } catch {
            logger.error("a log was not published", metadata: ["log.name": "\(name)", "error": "\(error)"])
            throw error
        }
    }

    private func discard(_ log: EngineLogDescription) async throws {
        let shelf = try shelf(log)
        try await OwnThread.run("log-discard") { try shelf.discard() }
        var record = try record(log.name)
        record.publishedBytes = 0
        record.head = nil
        record.next = nil
        try save(record, log.name)
    }

    private func view(_ log: EngineLogDescription) async throws -> JSONValue {
        let pid = await supervisor.snapshot.pid
        let (record, roots) = (try record(log.name), roots)
        let base = LogShelf(configuration, log: log.name)
        let isRestartRequired = record.restartAfter != nil && record.restartAfter == pid
        return try await OwnThread.run("log-view") {
            let file = try EngineLogFile(path: log.file, roots: roots)
            let isRotated = try file.map { try record.isRotated($0) } ?? (record.publishedBytes > 0)
            let bytes = file?.sizeBytes ?? 0
            let status = isRestartRequired ? "Restart Required" : log.status(bytes, record, isRotated: isRotated)
            let isPublished = record.publishedBytes > 0
            return [
                "name": .string(log.name), "type": log.isUser ? "USER" : "SYS", "status": .string(status),
                "published": .int(Int64(record.publishedBytes)),
                "pending": .int(Int64(isRotated ? bytes : max(0, bytes - record.publishedBytes))),
                "container": .string(isPublished ? LogShelf.container : "None"),
                "prefix": .string(isPublished ? base.prefix : "None"), "metafile": .string(base.metafile),
            ]
        }
    }

    private func logs(_ deadline: Deadline, _ context: RequestContext) async throws -> [EngineLogDescription] {
        do {
            let reply = try await plugins.call(
                .listLogs, [:], verb: "list_logs", deadline: deadline, context: context)
            return try (reply["logs"]?.arrayValue ?? []).map(EngineLogDescription.init)
        } catch let error as PluginError where error.code == .unsupported {
            // What the agent keeps of every engine: its standard error.
            return [
                EngineLogDescription(
                    name: "engine", file: configuration.logDirectory + "/engine.log", isUser: false, isEnabled: true)
            ]
        }
    }

    private func shelf(_ log: EngineLogDescription) throws -> LogShelf {
        guard !configuration.logObjectDirectory.isEmpty, !configuration.projectID.isEmpty else {
            throw RPCFault(className: "LogsNotAvailable", message: "Log actions are not supported.")
        }
        return LogShelf(configuration, log: log.name)
    }

    private var roots: [String] { [configuration.logDirectory, configuration.dataDirectory] }

    private func record(_ name: String) throws -> LogRecord {
        try FileAccess.readJSON(recordDirectory + "/" + name + ".json").map(LogRecord.init(json:)) ?? LogRecord()
    }

    private func save(_ record: LogRecord, _ name: String) throws { try Self.save(record, name, in: recordDirectory) }

    private static func save(_ record: LogRecord, _ name: String, in directory: String) throws {
        try FileAccess.makeDirectory(directory)
        try FileAccess.writeJSON(record.json, to: directory + "/" + name + ".json")
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
