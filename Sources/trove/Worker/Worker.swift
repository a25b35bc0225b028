// SPDX-License-Identifier: Apache-2.0

import API
import CLinux
import Conductor
import Glibc
import Logging
import Messaging
import PluginHost
import ServiceLifecycle
import StateStore
import TaskManager
import UnixSignals

/// One process that serves: any of API, task manager and conductor, and the hub where there is no broker.
struct Worker {
    private let seams: Seams
    private let lifeline: Lifeline
    private let hub: LocalHub?
    private let api: APIService?
    private let roles: [any Service]
    private let metrics: MetricsService?
    /// Whether the catalogue's rows wait for the state store.
    private let owesCatalogue: Bool
    private let logger = Log.make("worker")

    init(home: Home, address: ListenAddress, place: WorkerPlace, crashPoint: CrashPoint?) async throws {
        let metrics = WorkerMetrics()
        let seams = try await Seams(home: home, address: address, place: place)
        self.seams = seams
        lifeline = Lifeline(descriptor: WorkerProcess.Descriptor.lifeline)
        hub = seams.hubPath.map { LocalHub(path: $0, logger: Log.make("hub")) }
        var roles: [any Service] = []
        if place.roles.contains(.conductor) { roles.append(seams.conductor()) }
        if place.roles.contains(.taskmanager), let compute = seams.compute {
            roles.append(try seams.taskManager(compute) { if $0 == crashPoint { Self.endControlPlane() } })
        }
        self.roles = roles
        try await seams.startPlugins()
        do {
            try await seams.reconcile()
            owesCatalogue = false
        } catch let error as StateStoreError where error.mayPass {
            owesCatalogue = true
        }
        api = place.roles.contains(.api) ? seams.api(listener: WorkerProcess.Descriptor.listener) : nil
        do { try api?.loadCertificates() } catch { throw StartError(error.message) }
        self.metrics = try metrics.service(
            seams.configuration.metricsListen, spread: place.isAlone ? 1 : 32, plugins: seams.plugins)
    }

    func run() async throws {
        let lifeline = lifeline
        let seams = seams
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: lifeline, successTerminationBehavior: .gracefullyShutdownGroup)
        ]
        if let hub { services.append(.init(service: HubService(hub: hub))) }
        services.append(.init(service: BusService(bus: seams.bus)))
        services.append(.init(service: NotifierService(notifier: seams.notifier)))
        services.append(.init(service: PluginRunnerService(client: seams.plugins)))
        if owesCatalogue {
            let catalogue = FirstWorkService(work: { try await seams.reconcile() }, logger: logger)
            services.append(.init(service: catalogue, successTerminationBehavior: .ignore))
        }
        services += roles.map { .init(service: $0) }
        let api = api
        let reload = ReloadService {
            await api?.reloadCertificates()
            await seams.reload()
        }
        services.append(.init(service: reload))
        if let metrics { services.append(.init(service: metrics)) }
        if let api { services.append(.init(service: api)) }
        services.append(.init(service: ReadyService { lifeline.sayReady() }))
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
        await seams.store.close()
    }

    /// What kill -9 of the whole control plane does, at this very point.
    private static func endControlPlane() {
        kill(getppid(), SIGKILL)
        kill(getpid(), SIGKILL)
    }
}
