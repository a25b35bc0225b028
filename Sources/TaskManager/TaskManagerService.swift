// SPDX-License-Identifier: Apache-2.0

import Calls
package import Logging
import Messaging
import Model
import ServiceLifecycle
import StateStore

/// The task manager: makes accepted intent true.
package final class TaskManagerService: Service {
    private let services: FlowServices
    private let dispatcher: FlowDispatcher
    private let logger: Logger
    private let hostName: String

    /// - Parameters:
    ///   - services: What flows work with.
    ///   - hostName: Server name on the bus.
    ///   - logger: The process's logger.
    ///   - passed: Called at every crash point that a flow passes.
    package init(
        services: FlowServices, hostName: String, logger: Logger,
        passed: @Sendable @escaping (CrashPoint) -> Void = { _ in }
    ) {
        self.services = services
        self.hostName = hostName
        self.logger = logger
        dispatcher = FlowDispatcher(services: services, logger: logger, passed: passed)
    }

    package func run() async throws {
        let endpoint = TaskManagerDispatcher(Wakeups(dispatcher: dispatcher, changes: services.changes))
        try await services.bus.serve(topic: TaskManagerVerb.topic, server: hostName, endpoint: endpoint)
        await dispatcher.start()
        await withTaskGroup(of: Void.self) { group in
            let keeper = InstanceKeeper(services: services, logger: logger)
            let templates = TemplateKeeper(services: services, logger: logger)
            let reaper = Reaper(services: services, logger: logger)
            group.addTask { await keeper.run() }
            group.addTask { await templates.run() }
            group.addTask { await reaper.run() }
            try? await gracefulShutdown()
            group.cancelAll()
        }
        await dispatcher.stop()
    }
}

/// Turns the bus's wake-ups into looks at the journal and at the state store.
private struct Wakeups: TaskManagerEndpoint {
    let dispatcher: FlowDispatcher
    let changes: ChangeSignal

    func wake(context: RequestContext) async { await dispatcher.wake() }

    func instanceChanged(_ instanceID: String, context: RequestContext) async { changes.signal(instanceID) }
}
