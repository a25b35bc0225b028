// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import HTTPClient
import Logging
import Model

/// What the host keeps about one plugin: identity, services, calls in flight. Lives until the process ends, like the
/// plugin's code.
final class HostContext: Sendable {
    let id: String
    /// Ids of the service tables that the plugin is given.
    let services: Set<String>
    let logger: Logger
    let confinement: ProcessConfinement?
    let cancellationGrace: Duration
    /// The plugin's section of the configuration, as text.
    let settings: ConstantText
    /// What the services of this plugin work with.
    let backing: PluginServices
    /// Origins that it may ask over HTTP.
    let egress: Set<String>
    let http: HTTPClientConfiguration
    let metrics = PluginMetrics()
    let recorder = CallRecorder()
    let logLimit: LogLimit
    let reportLimit = RateLimit(perSecond: reportsPerSecond, burst: 2 * reportsPerSecond)
    static let reportsPerSecond = 10
    private let pluginVersion: String
    private let name = ConstantText("trove")
    private let version: ConstantText
    private let fault: ConstantText

    private struct State {
        var running: [ObjectIdentifier: PluginCall] = [:]
        var isClosed = false
        /// Calls that nobody waits for any more and that have not ended.
        var stuck = 0
    }

    private static let stuckLimit = 8
    private let state = ConditionLock(State())

    /// - Parameter version: nil: a trial, whose faults are reported under the id alone.
    init(
        id: String, version pluginVersion: String? = nil, configuration: PluginHostConfiguration,
        services: Set<String>? = nil
    ) {
        self.id = id
        self.pluginVersion = pluginVersion ?? ""
        backing = configuration.services
        egress = Set((configuration.egress[id] ?? []).map(\.origin))
        http = configuration.http
        self.services = services ?? configuration.role.services
        confinement = configuration.confinement
        cancellationGrace = configuration.cancellationGrace
        settings = ConstantText((configuration.settings[id] ?? .object([:])).text)
        version = ConstantText(configuration.hostVersion)
        fault = ConstantText(pluginVersion.map { "\(id)@\($0)" } ?? id)
        var logger = configuration.logger
        logger[metadataKey: "plugin.id"] = "\(id)"
        self.logger = logger
        logLimit = LogLimit(logger: logger)
    }

    /// What it did since it was loaded.
    var statistics: PluginStatistics {
        PluginStatistics(
            pluginID: id, version: pluginVersion, functions: recorder.snapshot, stuck: state.update(\.stuck),
            metrics: metrics.snapshot)
    }

    /// `id@version` for `clinux_fault_enter`.
    var cID: UnsafePointer<CChar> { fault.start }

    /// The table for this plugin, made on the first use of the context by the loader and never freed.
    func makeTable() -> UnsafePointer<trove_host_1> {
        let table = UnsafeMutablePointer<trove_host_1>.allocate(capacity: 1)
        table.initialize(to: HostFunctions.table(name: name.borrowed, version: version.borrowed))
        HostContexts.shared.add(self, for: table)
        return UnsafePointer(table)
    }

    /// Lets a call run, or says why not.
    func admit(_ call: PluginCall) -> PluginError? {
        state.update { state in
            if state.isClosed { return PluginError(.unavailable, pluginID: id, "the plugin host is shutting down") }
            guard state.stuck < Self.stuckLimit else {
                return PluginError(
                    .unavailable, pluginID: id, "\(state.stuck) earlier calls of this plugin do not end")
            }
            state.running[ObjectIdentifier(call)] = call
            return nil
        }
    }

    func ended(_ call: PluginCall, wasAbandoned: Bool) {
        state.update { state in
            state.running[ObjectIdentifier(call)] = nil
            if wasAbandoned { state.stuck -= 1 }
        }
        if wasAbandoned {
            logger.notice("plugin call ended after it was given up", metadata: ["plugin.function": "\(call.function)"])
        }
    }

    /// A call ignored that it should stop.
    func lost(_ call: PluginCall) {
        let stuck = state.update { state in
            state.stuck += 1
            return state.stuck
        }
        var metadata = Self.metadata(call)
        metadata["plugin.stuck_calls"] = "\(stuck)"
        logger.warning("plugin call does not stop when it is asked to", metadata: metadata)
    }

    /// Stops intake and calls, and waits for them.
    ///
    /// - Returns: Whether nothing of the plugin runs any more.
    func close(within limit: Duration) -> Bool {
        let running = state.update { state in
            state.isClosed = true
            return Array(state.running.values)
        }
        for call in running { call.stop(.cancelled) }
        return state.wait(until: .now + limit) { $0.running.isEmpty ? true : nil } ?? false
    }

    /// A plugin broke a rule of the boundary; its calls go on.
    func misbehaved(_ message: Logger.Message, _ metadata: Logger.Metadata) {
        logger.warning(message, metadata: metadata)
    }

    static func metadata(_ call: PluginCall) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "plugin.function": "\(call.function)", "request.id": "\(call.options.context.requestID)",
        ]
        if let instance = call.options.instanceID { metadata["instance.id"] = "\(instance)" }
        return metadata
    }
}

/// Text at a fixed address until the process ends, for pointers that plugins keep.
///
/// Unchecked: written once, in init.
struct ConstantText: @unchecked Sendable {
    let start: UnsafePointer<CChar>
    private let count: Int

    init(_ text: String) {
        let bytes = Array(text.utf8)
        let memory = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { memory[index] = CChar(bitPattern: byte) }
        memory[bytes.count] = 0
        start = UnsafePointer(memory)
        count = bytes.count
    }

    var borrowed: trove_str { count == 0 ? trove_str() : trove_str(ptr: start, len: count) }
}
