// SPDX-License-Identifier: Apache-2.0

package import Calls
package import Logging
package import Messaging
import Model
import ServiceLifecycle
package import StateStore

/// The conductor: writes what guests report, and is the only one who does.
package final class ConductorService: Service {
    private let bus: any MessageBus
    private let store: any StateStore
    private let hostName: String
    private let logger: Logger
    private let onPluginFault: @Sendable (PluginFaultReport) async -> Void
    private let plugins: (any PluginMessageEndpoint)?

    /// - Parameters:
    ///   - plugins: Answers what guests' plugins send to themselves in the control plane.
    ///   - onPluginFault: Told when a guest's agent was ended by a trap in a plugin.
    package init(
        bus: any MessageBus, store: any StateStore, hostName: String, logger: Logger,
        plugins: (any PluginMessageEndpoint)? = nil,
        onPluginFault: @Sendable @escaping (PluginFaultReport) async -> Void = { _ in }
    ) {
        self.onPluginFault = onPluginFault
        self.plugins = plugins
        self.bus = bus
        self.store = store
        self.hostName = hostName
        self.logger = logger
    }

    package func run() async throws {
        let reports = Reports(
            store: store, taskManager: TaskManagerClient(bus), logger: logger, plugins: plugins,
            onPluginFault: onPluginFault)
        try await bus.serve(topic: ConductorVerb.topic, server: hostName, endpoint: ConductorDispatcher(reports))
        try? await gracefulShutdown()
        await reports.flush()
    }
}
