// SPDX-License-Identifier: Apache-2.0

import Calls
package import Logging
import Model
package import ObjectStore
import PluginHost

/// Fills the empty data directory from a backup, and from all that it adds to when it is an increment.
///
/// Each object is read, verified frame by frame and unpacked into a pipe that the backup strategy reads: the full backup first,
/// then the increments, oldest first. If anything fails, the data directory is emptied: half a restore is never started.
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
        try await emptyDataDirectory()
        do {
            let chain = try chain(info)
            // What is not there is told before hours go into what is.
            for element in chain { try await open(element).close() }
            try await fill(chain, memoryMB, context)
        } catch {
            do {
                try await emptyDataDirectory()
            } catch {
                logger.error("the data directory could not be emptied", metadata: ["error": "\(error)"])
            }
            throw error
        }
    }

    /// What is restored one after the other.
    private func chain(_ info: BackupInfo) throws(GuestAgentError) -> [BackupInfo] {
        let chain = info.parents + [info]
        for (index, element) in chain.enumerated() {
            let wanted = element.parent["id"]?.stringValue
            guard element.parent.isNull == (index == 0), index == 0 || wanted == chain[index - 1].id else {
                throw GuestAgentError(
                    .restore,
                    "backup \(element.id) adds to \(wanted ?? "none"), which is not what is restored before it")
            }
        }
        let plugin = GuestConfiguration.pluginID(info.type)
        if let other = info.parents.first(where: { GuestConfiguration.pluginID($0.type) != plugin }) {
            throw GuestAgentError(
                .restore, "backup \(other.id), which backup \(info.id) adds to, is of the strategy \(other.type)")
        }
        return chain
    }

    private func fill(_ chain: [BackupInfo], _ memoryMB: Int, _ context: RequestContext) async throws {
        guard let last = chain.last else { return }
        let verb = "restore"
        plugins.marks.forgive(verb)
        let session = try await plugins.backupSession(last.type, access: nil, context: context)
        plugins.marks.begin(verb, plugin: GuestConfiguration.pluginID(last.type))
        defer { plugins.marks.end(verb) }
        do {
            guard chain.count == 1 || session.isIncremental else {
                throw GuestAgentError(
                    .restore,
                    "backup \(last.id) is incremental, and \(session.plugin.reference) restores full backups only")
            }
            var request = JSONValue.null
            for (index, element) in chain.enumerated() {
                request = Self.request(chain, index, memoryMB)
                logger.info(
                    "restoring", metadata: ["backup.id": "\(element.id)", "part": "\(index + 1) of \(chain.count)"])
                try await transfer(element, request, session, context)
            }
            try await session.postRestore(request, plugins.options(.after(Self.timeLimit), context))
        } catch {
            await session.close()
            throw error
        }
        await session.close()
    }

    /// The restore-request document of one element.
    private static func request(_ chain: [BackupInfo], _ index: Int, _ memoryMB: Int) -> JSONValue {
        var request: [String: JSONValue] = [
            "type": index == 0 ? "full" : "incremental", "memory_mb": .int(Int64(memoryMB)),
        ]
        if !chain[index].position.isNull { request["position"] = chain[index].position }
        if index > 0, !chain[index - 1].position.isNull { request["parent"] = chain[index - 1].position }
        if index < chain.count - 1 { request["more"] = true }
        return .object(request)
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
                    source: source, backupID: info.sealedID, dataKey: key, outputFD: pipe.writeEnd,
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
        let (store, id) = (store, info.id)
        return try await OwnThread.run("restore-open") {
            do throws(ObjectStoreError) {
                return try store.open(name)
            } catch {
                throw GuestAgentError(.restore, "backup \(id) could not be read: \(error)")
            }
        }
    }

    /// A broken object explains a strategy that fails on it; a strategy that stops reading explains a write that fails.
    private static func judge(
        unsealing: Result<Int, any Error>, restoring: Result<Void, any Error>, backupID: String
    ) throws {
        if case .failure(let error) = unsealing {
            let isConsequence =
                (error as? ObjectStoreError).map { $0.code == .outputClosed || $0.code == .cancelled } ?? false
            if isConsequence { try restored(restoring, backupID) }
            throw GuestAgentError(.restore, "backup \(backupID) could not be read: \(error)")
        }
        try restored(restoring, backupID)
    }

    /// What the plugin says, with the backup that it says it of.
    private static func restored(_ restoring: Result<Void, any Error>, _ backupID: String) throws {
        do { try restoring.get() } catch var error as PluginError {
            error.message = "backup \(backupID): \(error.message)"
            throw error
        }
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
