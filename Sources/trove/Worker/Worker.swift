// SPDX-License-Identifier: Apache-2.0

import API
import CLinux
import Calls
import Compute
import Conductor
import Glibc
import Identity
import Logging
import Messaging
import Model
import ObjectStore
import PluginHost
import ServiceLifecycle
import StateStore
import TaskManager
import UnixSignals

/// The embedded shape: API, task manager, conductor and the hub in one process.
struct Worker {
    private let shape: EmbeddedShape
    private let lifeline: Lifeline
    private let services: FlowServices
    private let api: APIService
    private let taskManager: TaskManagerService
    private let conductor: ConductorService
    private let hub: LocalHub
    private let metrics: MetricsService?

    init(home: Home, address: ListenAddress, crashPoint: CrashPoint?) async throws {
        let metrics = WorkerMetrics()
        let shape = try await EmbeddedShape(home: home, address: address)
        self.shape = shape
        lifeline = Lifeline(descriptor: Supervisor.WorkerDescriptor.lifeline)
        hub = LocalHub(path: shape.busPath, logger: Log.make("hub"))
        services = shape.flowServices()
        api = try await shape.api(services: services, listener: Supervisor.WorkerDescriptor.listener)
        self.metrics = try metrics.service(shape.configuration.metricsListen, plugins: shape.plugins)
        conductor = ConductorService(
            bus: shape.bus, store: shape.store, hostName: "local", logger: Log.make("conductor"),
            plugins: PeerEndpoint(store: shape.store, plugins: shape.plugins),
            onPluginFault: { [plugins = shape.plugins] report in
                await plugins.guestTrapped(report.plugin, instanceID: report.instanceID, signal: report.signal)
            }
        )
        taskManager = TaskManagerService(
            services: services, hostName: "local", logger: Log.make("taskmanager"),
            passed: { if $0 == crashPoint { Self.endControlPlane() } }
        )
    }

    func run() async throws {
        let bus = BusService(bus: services.bus)
        let plugins = PluginRunnerService(client: shape.plugins)
        let reload = ReloadService(shape: shape)
        let lifeline = lifeline
        let ready = ReadyService { lifeline.sayReady() }
        var listeners = [ServiceGroupConfiguration.ServiceConfiguration(service: api)]
        if let metrics { listeners.insert(.init(service: metrics), at: 0) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: lifeline, successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: HubService(hub: hub)), .init(service: bus), .init(service: plugins),
                    .init(service: conductor), .init(service: taskManager), .init(service: reload),
                ] + listeners + [.init(service: ready)],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Log.make("worker")
            )
        )
        try await group.run()
        await shape.store.close()
    }

    /// What kill -9 of the whole control plane does, at this very point.
    private static func endControlPlane() {
        kill(getppid(), SIGKILL)
        kill(getpid(), SIGKILL)
    }
}
