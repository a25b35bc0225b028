// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
package import Logging
import Messaging
import Model
import Notifications
import ServiceLifecycle
import StateStore

/// The task manager: makes accepted intent true. Any number of them share the work, each under a name of its own.
package final class TaskManagerService: Service {
    private let services: FlowServices
    private let dispatcher: FlowDispatcher
    private let logger: Logger
    private let hostName: String

    /// - Parameters:
    ///   - services: What flows work with.
    ///   - hostName: Server name on the bus, another one for each task manager.
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
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.stand().run([self.identity]) }
            try? await gracefulShutdown()
            group.cancelAll()
        }
    }

    private func stand() -> Elections {
        let configuration = services.configuration
        return Elections(
            store: services.store, owner: configuration.owner, hasEnded: { configuration.hasEnded($0) }, logger: logger)
    }

    /// The name, under which everything else is done.
    private var identity: LeasedRole {
        let (name, logger) = (services.configuration.name, logger)
        return LeasedRole(
            "taskmanager/\(name)", lease: services.configuration.lease,
            run: {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await self.dispatcher.run() }
                    group.addTask { await self.stand().run(self.periodic) }
                }
            },
            isElsewhere: { holder in
                logger.error(
                    """
                    another task manager has this one's name; waiting until it has gone: give each its own in \
                    taskmanager.name
                    """, metadata: ["taskmanager.name": "\(name)", "owner": "\(holder.owner)"])
            })
    }

    /// What is sent to listeners by one task manager of all.
    private var telling: [LeasedRole] {
        let (services, logger, lease) = (services, logger, services.configuration.roleLease)
        let reports = [PeriodicReport.exists(services, logger: logger), PeriodicReport.quota(services, logger: logger)]
        var roles = reports.compactMap(\.self).map { report in
            LeasedRole(report.name, lease: lease) { await report.run() }
        }
        if services.notifier.hasOutbox {
            roles.append(
                LeasedRole("notifications", lease: lease) {
                    await NotificationRelay(services: services, logger: logger).run()
                })
        }
        return roles
    }

    /// What one task manager of all, or of all on a host, does.
    private var periodic: [LeasedRole] {
        let (services, logger, lease) = (services, logger, services.configuration.roleLease)
        let host = services.compute.host ?? "any"
        return [
            LeasedRole("reaper", lease: lease) { await Reaper(services: services, logger: logger).run() },
            LeasedRole("keeper/\(host)", lease: lease) {
                await InstanceKeeper(services: services, logger: logger).run()
            },
            LeasedRole("templates/\(host)", lease: lease) {
                await TemplateKeeper(services: services, logger: logger).run()
            },
        ] + telling
    }
}

/// Turns the bus's wake-ups into looks at the journal and at the state store.
private struct Wakeups: TaskManagerEndpoint {
    let dispatcher: FlowDispatcher
    let changes: ChangeSignal

    func wake(context: RequestContext) async { await dispatcher.wake() }

    func instanceChanged(_ instanceID: String, context: RequestContext) async { changes.signal(instanceID) }
}
