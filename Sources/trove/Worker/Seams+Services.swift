// SPDX-License-Identifier: Apache-2.0

import API
import Calls
import Compute
import Conductor
import HTTPClient
import Messaging
import Model
import ObjectStore
import PluginHost
import StateStore
import TaskManager

/// What the roles' services are made of.
extension Seams {
    func conductor() -> ConductorService {
        ConductorService(
            bus: bus, store: store, hostName: configuration.hostName, logger: Log.make("conductor"),
            plugins: PeerEndpoint(store: store, plugins: plugins),
            onPluginFault: { [plugins] report in
                await plugins.guestTrapped(report.plugin, instanceID: report.instanceID, signal: report.signal)
            }
        )
    }

    /// - Parameter passed: Told of each crash point that a flow passes.
    func taskManager(
        _ compute: LocalCompute, passed: @Sendable @escaping (CrashPoint) -> Void
    ) throws -> TaskManagerService {
        TaskManagerService(
            services: try flowServices(compute), hostName: taskManagerName, logger: Log.make("taskmanager"),
            passed: passed)
    }

    private var taskManagerName: String { configuration.taskManagerName ?? place.name(on: configuration.hostName) }

    /// Everything that flows work with.
    ///
    /// - Throws: `StartError`.
    func flowServices(_ compute: LocalCompute) throws -> FlowServices {
        FlowServices(
            store: store, compute: compute, objects: objects, keys: ProjectKeys(directory: home.secrets + "/projects"),
            plugins: plugins, bus: bus,
            configuration: TaskManagerConfiguration(
                owner: taskManagerName, isAlone: hubPath != nil, flavors: self.catalogue.flavors,
                guestDefaults: self.guestDefaults,
                lease: .seconds(configuration.lease), concurrency: configuration.concurrency,
                usageTimeout: .seconds(configuration.usageTimeout),
                restoreUsageTimeout: .seconds(configuration.restoreUsageTimeout),
                backupTimeout: .seconds(configuration.backupTimeout),
                eventRetention: .seconds(configuration.eventRetention)
            ),
            notifier: notifier, guestBus: try configuration.bus.guests(), bell: bell
        )
    }

    /// What every guest is told.
    private var guestDefaults: JSONValue {
        let catalogue = catalogue
        return [
            "bus": guestBus,
            "object_store": [
                "directory": .string(home.backups), "plugins": .string(home.pluginObjects),
                "logs": .string(home.logObjects),
            ],
            "report_interval_s": .int(Int64(configuration.reportInterval)),
            "plugins": [
                "directories": .array(catalogue.pluginDirectories.map(JSONValue.string)),
                "settings": .object(catalogue.plugins.settings),
                "disabled": .array(catalogue.disabledPlugins.sorted().map(JSONValue.string)),
                "trust": catalogue.plugins.trust.json,
                "egress": .object(
                    catalogue.plugins.egress.mapValues {
                        .array($0.map { .string($0.origin) }.sorted { $0.text < $1.text })
                    }),
                "http": [
                    "proxy": .optional(catalogue.plugins.http.proxy),
                    "ca_file": .optional(catalogue.plugins.http.caFile),
                ],
                "active": .object(catalogue.decisions.active.mapValues(JSONValue.string)),
            ],
        ]
    }

    /// How guests reach the bus; their own accounts and keys come beside it.
    private var guestBus: JSONValue {
        if let hubPath { return ["socket": .string(hubPath)] }
        let bus = configuration.bus
        return [
            "url": .optional(bus.guestURL ?? bus.url), "ca_file": .optional(bus.caFile),
            "exchange": .string(bus.exchange),
            "heartbeat_s": .int(Int64(bus.heartbeat)), "durable": .bool(bus.isDurable),
            "auto_delete": .bool(bus.isAutoDelete), "quorum": .bool(bus.isQuorum),
            "transient_quorum": .bool(bus.isTransientQuorum), "stream_fanout": .bool(bus.isStreamFanout),
        ]
    }

    /// The API behind the parent's socket.
    func api(listener: Int32) -> APIService {
        APIService(
            configuration: APIConfiguration(
                publicEndpoint: configuration.publicEndpoint, tls: configuration.tls, region: configuration.region,
                moduleTypes: configuration.moduleTypes,
                flavors: self.catalogue.flavors, defaultDatastore: configuration.defaultDatastore,
                quotas: configuration.quotas,
                maximumVolumeGiB: configuration.maximumVolumeGiB, pageSize: configuration.pageSize,
                rateLimits: configuration.rateLimits,
                heartbeatExpiry: .seconds(configuration.heartbeatExpiry),
                maximumBodyBytes: configuration.maximumBodyBytes, listenDescription: "\(address)",
                idleTimeout: .seconds(configuration.idleTimeout), headTimeout: .seconds(configuration.headTimeout),
                bodyTimeout: .seconds(configuration.bodyTimeout),
                maximumConnections: configuration.maximumConnections,
                answerPassphrase: configuration.bus.rpcKey,
                eventStreams: configuration.eventStreams, hasConstantRoute: configuration.hasConstantRoute,
                hostFacts: { [compute] in try? await compute?.facts() }
            ),
            listener: listener, store: store, identity: identity, plugins: plugins, guests: GuestClient(bus),
            taskManager: TaskManagerClient(bus), clock: SystemWallClock(), random: SystemRandomSource(),
            policy: policy, notifier: notifier, objects: PublishedLogs(root: home.logObjects),
            certificates: keys.certificates, keyManager: keys.management, bell: bell,
            logger: Log.make("api")
        )
    }
}
