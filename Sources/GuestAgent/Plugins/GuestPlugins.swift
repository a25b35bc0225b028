// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Model
package import PluginHost

/// The plugins of one instance: its datastore's session, and sessions of backup strategies.
///
/// Loading takes longer than the bus should wait for, so it runs beside everything else; whoever needs a plugin waits.
package actor GuestPlugins {
    nonisolated let configuration: GuestConfiguration
    nonisolated let marks: CallMarks
    nonisolated let logger: Logger
    private let registry: PluginRegistry
    private var loading: Task<Void, any Error>?
    private var opening: Task<DatastoreSession, any Error>?

    /// - Parameters:
    ///   - probeCommand: Program and arguments that try a library in a child; its path is appended.
    ///   - services: What the plugins' host services work with.
    package init(
        configuration: GuestConfiguration, probeCommand: [String], marks: CallMarks,
        services: PluginServices = PluginServices(), logger: Logger
    ) {
        self.configuration = configuration
        self.marks = marks
        self.logger = logger
        let enabled =
            [configuration.datastorePlugin] + (configuration.backupPlugin.map { [$0] } ?? [])
            + configuration.extraPlugins
        var host = PluginHostConfiguration(
            directories: configuration.pluginDirectories, enabled: Set(enabled),
            disabled: Set(configuration.disabledPlugins), role: .guest, settings: configuration.pluginSettings,
            probeCommand: probeCommand,
            confinement: ProcessConfinement(
                uid: configuration.uid, gid: configuration.gid, setIDs: configuration.setIDs,
                cgroupProcsPaths: configuration.cgroupProcs),
            logger: logger)
        host.trust = configuration.pluginTrust
        host.active = configuration.activePlugins
        host.egress = configuration.pluginEgress
        host.http = configuration.pluginHTTP
        host.services = services
        registry = PluginRegistry(configuration: host)
    }

    /// Begins to load, without waiting.
    package func load() {
        guard loading == nil else { return }
        let (registry, faultFile) = (registry, configuration.state("fault"))
        loading = Task {
            try await OwnThread.run("plugin-load") {
                try registry.load()
                PluginFault.install(faultFile)
            }
        }
    }

    /// The datastore's session; opened once, and again after a failure.
    package func datastore() async throws(PluginError) -> DatastoreSession {
        load()
        let task =
            opening
            ?? Task { [configuration, registry, loading] in
                try await loading?.value
                let id = GuestConfiguration.pluginID(configuration.datastorePlugin)
                try self.makeStateDirectory(id)
                return try await DatastoreSession.open(
                    registry, reference: configuration.datastorePlugin,
                    config: .object(configuration.instanceDocument(pluginID: id)),
                    options: self.options(.after(.seconds(60)), RequestContext(requestID: "")))
            }
        opening = task
        do {
            return try await task.value
        } catch {
            if opening == task { opening = nil }
            throw failure(error, configuration.datastorePlugin)
        }
    }

    /// Calls the datastore under a mark.
    ///
    /// - Parameter verb: What the agent is doing, for the mark and the logs.
    package func call(
        _ function: DatastoreFunction, _ request: JSONValue, verb: String, deadline: Deadline, context: RequestContext
    ) async throws(PluginError) -> JSONValue {
        let session = try await datastore()
        marks.begin(verb, plugin: GuestConfiguration.pluginID(configuration.datastorePlugin))
        defer { marks.end(verb) }
        return try await session.call(function, request, options(deadline, context))
    }

    /// Calls the datastore about TLS under a mark.
    package func tls(
        _ function: TLSFunction, _ request: JSONValue, verb: String, deadline: Deadline, context: RequestContext
    ) async throws(PluginError) -> JSONValue {
        let session = try await datastore()
        marks.begin(verb, plugin: GuestConfiguration.pluginID(configuration.datastorePlugin))
        defer { marks.end(verb) }
        return try await session.tls(function, request, options(deadline, context))
    }

    /// What the datastore says about its engine, within five seconds.
    package func status() async throws(PluginError) -> EngineStatus {
        try marks.check("status")
        let session = try await datastore()
        marks.begin("status", plugin: GuestConfiguration.pluginID(configuration.datastorePlugin))
        defer { marks.end("status") }
        return try await session.status(options(.after(.seconds(5)), RequestContext(requestID: "")))
    }

    /// Opens a backup strategy.
    ///
    /// - Parameters:
    ///   - type: The strategy's reference as the backup has it.
    ///   - access: The datastore's backup-access document; nil for a restore.
    package func backupSession(
        _ type: String, access: JSONValue?, context: RequestContext
    ) async throws(PluginError) -> BackupSession {
        load()
        do { try await loading?.value } catch { throw failure(error, type) }
        let id = GuestConfiguration.pluginID(type)
        let own = configuration.backupPlugin ?? ""
        let reference = GuestConfiguration.pluginID(own) == id ? own : type
        var document = configuration.instanceDocument(pluginID: id)
        if let access { document["access"] = access }
        do {
            try makeStateDirectory(id)
        } catch {
            throw failure(error, type)
        }
        return try await BackupSession.open(
            registry, reference: reference, config: .object(document), options: options(.after(.seconds(60)), context))
    }

    /// Closes the datastore's session and ends the plugins; the engine goes on.
    package func close() async {
        if let session = try? await opening?.value { await session.close() }
        opening = nil
        let registry = registry
        try? await OwnThread.run("plugin-end") { registry.shutdown() }
    }

    /// The registry once everything is loaded.
    ///
    /// - Parameter reference: The plugin that is wanted, for the error.
    func loadedRegistry(_ reference: String) async throws(PluginError) -> PluginRegistry {
        load()
        do { try await loading?.value } catch { throw failure(error, reference) }
        return registry
    }

    nonisolated func options(_ deadline: Deadline, _ context: RequestContext) -> CallOptions {
        CallOptions(deadline: deadline, context: context, instanceID: configuration.instanceID)
    }

    private func makeStateDirectory(_ pluginID: String) throws(GuestAgentError) {
        try FileAccess.makeDirectory(configuration.state("plugins"))
        try FileAccess.makeDirectory(configuration.pluginStateDirectory(pluginID))
    }

    private func failure(_ error: any Error, _ reference: String) -> PluginError {
        error as? PluginError
            ?? PluginError(.internal, pluginID: GuestConfiguration.pluginID(reference), "\(error)")
    }
}
