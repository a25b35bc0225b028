// SPDX-License-Identifier: Apache-2.0

import Calls
package import Logging
import Model
import PluginHost

/// The steps of a preparation; each is idempotent.
package struct PreparationSteps: Sendable {
    let plugins: GuestPlugins
    let supervisor: EngineSupervisor
    let restore: Restore
    let logger: Logger

    private static let verb = "prepare"

    package init(plugins: GuestPlugins, supervisor: EngineSupervisor, restore: Restore, logger: Logger) {
        self.plugins = plugins
        self.supervisor = supervisor
        self.restore = restore
        self.logger = logger
    }

    /// Runs what is not done yet.
    ///
    /// - Parameter save: Called when a stage is done.
    /// - Throws: The error of the step that failed for good.
    func run(
        _ work: inout PreparationRecord.Work, save: (PreparationRecord.Work) throws -> Void
    ) async throws {
        try plugins.marks.check(Self.verb)
        let arguments = work.arguments
        if work.stage < .datastorePrepared {
            // Left by an earlier try; the steps below need the data directory for themselves.
            try await supervisor.stop(deadline: .after(.seconds(300)))
        }
        if !arguments.backupInfo.isNull, work.stage < .restored {
            let info = try BackupInfo(json: arguments.backupInfo)
            logger.notice("restoring a backup", metadata: ["backup.id": "\(info.id)"])
            try await restore.run(info, memoryMB: arguments.memoryMB, context: work.context)
            work.stage = .restored
            try save(work)
        }
        if work.stage < .datastorePrepared {
            _ = try await call(.prepare, Self.request(arguments), .seconds(900), work)
            work.stage = .datastorePrepared
            try save(work)
        }
        try await supervisor.start(deadline: .after(.seconds(1800)))
        if !arguments.databases.isEmpty {
            let databases = JSONValue.array(arguments.databases.map(\.json))
            _ = try await call(.createDatabases, ["databases": databases], .seconds(300), work)
        }
        if !arguments.users.isEmpty {
            _ = try await call(.createUsers, ["users": .array(arguments.users.map(\.json))], .seconds(300), work)
        }
        try await enableRoot(work)
    }

    /// The datastore has had the password in prepare; one that cannot enable root later has done so then.
    private func enableRoot(_ work: PreparationRecord.Work) async throws {
        guard let password = work.arguments.rootPassword else { return }
        do {
            _ = try await call(.enableRoot, ["password": .string(password.revealed)], .seconds(300), work)
        } catch {
            guard error.code == .unsupported else { throw error }
        }
    }

    private func call(
        _ function: DatastoreFunction, _ request: JSONValue, _ timeout: Duration, _ work: PreparationRecord.Work
    ) async throws(PluginError) -> JSONValue {
        let deadline = Deadline.after(timeout)
        return try await retrying(until: deadline) { () async throws(PluginError) in
            try await plugins.call(function, request, verb: Self.verb, deadline: deadline, context: work.context)
        }
    }

    private static func request(_ arguments: PrepareArguments) -> JSONValue {
        var request: [String: JSONValue] = [
            "config_contents": .string(arguments.configContents), "restored": .bool(!arguments.backupInfo.isNull),
        ]
        if arguments.overrides.objectValue != nil { request["overrides"] = arguments.overrides }
        if let password = arguments.rootPassword { request["root_password"] = .string(password.revealed) }
        return .object(request)
    }
}
