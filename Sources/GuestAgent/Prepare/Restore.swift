// SPDX-License-Identifier: Apache-2.0

import Calls
package import Logging
import Model
package import ObjectStore
import PluginHost

/// Fills the empty data directory from a backup.
///
/// The object is read, verified frame by frame and unpacked into a pipe that the backup strategy reads. If anything fails,
/// the data directory is emptied: half a restore is never started.
package struct Restore: Sendable {
    let configuration: GuestConfiguration
    let plugins: GuestPlugins
    let store: any ObjectStore
    let logger: Logger

    private static let timeLimit = Duration.seconds(12 * 3600)

    package init(configuration: GuestConfiguration, plugins: GuestPlugins, store: any ObjectStore, logger: Logger) {
        self.configuration = configuration
        self.plugins = plugins
        self.store = store
        self.logger = logger
    }

    /// - Throws: `.restore` naming the backup and what failed; `PluginError` of the strategy.
    func run(_ info: BackupInfo, memoryMB: Int, context: RequestContext) async throws {
        guard info.parent.isNull else {
            throw GuestAgentError(.restore, "backup \(info.id) is incremental; only full backups can be restored")
        }
        try await emptyDataDirectory()
        do {
            try await fill(info, memoryMB, context)
        } catch {
            do {
                try await emptyDataDirectory()
            } catch {
                logger.error("the data directory could not be emptied", metadata: ["error": "\(error)"])
            }
            throw error
        }
    }

    private func fill(_ info: BackupInfo, _ memoryMB: Int, _ context: RequestContext) async throws {
        let verb = "restore"
        plugins.marks.forgive(verb)
        let session = try await plugins.backupSession(info.type, access: nil, context: context)
        plugins.marks.begin(verb, plugin: GuestConfiguration.pluginID(info.type))
        defer { plugins.marks.end(verb) }
        var request: [String: JSONValue] = ["type": "full", "memory_mb": .int(Int64(memoryMB))]
        if !info.position.isNull { request["position"] = info.position }
        do {
            try await transfer(info, .object(request), session, context)
            try await session.postRestore(.object(request), plugins.options(.after(Self.timeLimit), context))
        } catch {
            await session.close()
            throw error
        }
        await session.close()
    }

    private func transfer(
        _ info: BackupInfo, _ request: JSONValue, _ session: BackupSession, _ context: RequestContext
    ) async throws {
        let source = try await open(info)
        defer { source.close() }
        guard let key = Base64.decode(info.dataKey.revealed) else {
            throw GuestAgentError(.restore, "the data key of backup \(info.id) is not Base64")
        }
        let (pipe, stop) = (try BytePipe(), StopFlag())
        async let unsealing: Result<Int, any Error> = {
            let result = await Self.result {
                try await BackupSeal.unseal(
                    source: source, backupID: info.id, dataKey: key, outputFD: pipe.writeEnd,
                    isCancelled: { stop.value })
            }
            pipe.closeWrite()
            return result
        }()
        let restoring = await Self.result {
            try await session.restore(
                request, inputFD: pipe.readEnd, plugins.options(.after(Self.timeLimit), context))
        }
        if case .failure = restoring { stop.set() }
        pipe.closeRead()
        try Self.judge(unsealing: await unsealing, restoring: restoring, backupID: info.id)
    }

    private func open(_ info: BackupInfo) async throws -> any ObjectSource {
        guard let name = store.name(location: info.location) else {
            throw GuestAgentError(.restore, "backup \(info.id) lies at '\(info.location)', outside this object store")
        }
        let store = store
        return try await OwnThread.run("restore-open") { try store.open(name) }
    }

    /// A broken object explains a strategy that fails on it; a strategy that stops reading explains a write that fails.
    private static func judge(
        unsealing: Result<Int, any Error>, restoring: Result<Void, any Error>, backupID: String
    ) throws {
        if case .failure(let error) = unsealing {
            let isConsequence =
                (error as? ObjectStoreError).map { $0.code == .outputClosed || $0.code == .cancelled } ?? false
            if isConsequence { try restoring.get() }
            throw GuestAgentError(.restore, "backup \(backupID) could not be read: \(error)")
        }
        try restoring.get()
    }

    private static func result<Value: Sendable>(
        _ body: () async throws -> Value
    ) async -> Result<Value, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    private func emptyDataDirectory() async throws {
        let path = configuration.dataDirectory
        try await OwnThread.run("data-empty") { try DirectoryContents.empty(path) }
    }
}
