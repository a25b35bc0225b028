// SPDX-License-Identifier: Apache-2.0

import Calls
package import Logging
import Model
package import ObjectStore
import PluginHost

/// Writes one backup: the strategy's stream through a pipe into the seal and the object store.
package struct BackupTransfer: Sendable {
    let configuration: GuestConfiguration
    let plugins: GuestPlugins
    let store: any ObjectStore
    let logger: Logger

    private static let verb = "create_backup"
    private static let timeLimit = Duration.seconds(24 * 3600)

    /// What a finished backup is.
    struct Outcome: Sendable {
        var seal: SealResult
        var position: JSONValue
    }

    package init(configuration: GuestConfiguration, plugins: GuestPlugins, store: any ObjectStore, logger: Logger) {
        self.configuration = configuration
        self.plugins = plugins
        self.store = store
        self.logger = logger
    }

    /// The object's name behind the location that the task manager chose.
    ///
    /// - Throws: `.invalid` when it lies outside the store.
    func name(_ info: BackupInfo) throws(GuestAgentError) -> String {
        guard let name = store.name(location: info.location) else {
            throw GuestAgentError(
                .invalid, "backup \(info.id) is to lie at '\(info.location)', outside this object store")
        }
        return name
    }

    /// Makes the backup. Nothing of it is left when this throws.
    func run(_ info: BackupInfo, context: RequestContext) async throws -> Outcome {
        guard let dataKey = Base64.decode(info.dataKey.revealed), let wrapped = Base64.decode(info.wrappedKey) else {
            throw GuestAgentError(.invalid, "a key of backup \(info.id) is not Base64")
        }
        let access = try await plugins.call(
            .backupAccess, [:], verb: Self.verb, deadline: .after(.seconds(60)), context: context)
        let session = try await plugins.backupSession(info.type, access: access, context: context)
        plugins.marks.begin(Self.verb, plugin: GuestConfiguration.pluginID(info.type))
        defer { plugins.marks.end(Self.verb) }
        do {
            guard info.parent.isNull || session.isIncremental else {
                throw GuestAgentError(
                    .invalid, "backup \(info.id) has a parent, and \(session.plugin.reference) makes full backups only")
            }
            let outcome = try await transfer(info, dataKey, wrapped, session, context)
            await session.close()
            return outcome
        } catch {
            await session.close()
            throw error
        }
    }

    private func transfer(
        _ info: BackupInfo, _ dataKey: [UInt8], _ wrapped: [UInt8], _ session: BackupSession, _ context: RequestContext
    ) async throws -> Outcome {
        let (store, name) = (store, try name(info))
        let sink = try await OwnThread.run("backup-create") {
            try store.delete(name)
            return try store.create(name)
        }
        let (pipe, stop) = (try BytePipe(), StopFlag())
        async let sealing: Result<SealResult, any Error> = {
            let result = await Self.result {
                try await BackupSeal.seal(
                    inputFD: pipe.readEnd, sink: sink, backupID: info.id, dataKey: dataKey, wrappedKey: wrapped,
                    isCancelled: { stop.value })
            }
            pipe.closeRead()
            return result
        }()
        let writing = await Self.result {
            try await session.backup(
                request(info), outputFD: pipe.writeEnd, plugins.options(.after(Self.timeLimit), context))
        }
        if case .failure = writing { stop.set() }
        pipe.closeWrite()
        let sealed = await sealing
        do {
            let outcome = try Self.judge(sealing: sealed, writing: writing)
            try Task.checkCancellation()
            try await OwnThread.run("backup-commit") { try sink.commit() }
            return outcome
        } catch {
            try? await OwnThread.run("backup-abort") {
                sink.abort()
                try store.delete(name)
            }
            throw error
        }
    }

    private func request(_ info: BackupInfo) -> JSONValue {
        var request: [String: JSONValue] = [
            "type": info.parent.isNull ? "full" : "incremental", "memory_mb": .int(Int64(configuration.memoryMB)),
        ]
        if let position = info.parent["position"], !position.isNull { request["parent"] = position }
        return .object(request)
    }

    /// A full store explains a strategy that could not write; a strategy that failed explains a seal that was stopped.
    private static func judge(
        sealing: Result<SealResult, any Error>, writing: Result<JSONValue, any Error>
    ) throws -> Outcome {
        if case .failure(let error) = sealing {
            let isConsequence = (error as? ObjectStoreError)?.code == .cancelled
            if isConsequence { _ = try writing.get() }
            throw error
        }
        return Outcome(seal: try sealing.get(), position: try writing.get()["position"] ?? .null)
    }

    private static func result<Value: Sendable>(
        _ body: () async throws -> Value
    ) async -> Result<Value, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}
