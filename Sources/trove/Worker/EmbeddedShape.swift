// SPDX-License-Identifier: Apache-2.0

import API
import Calls
import Compute
import Identity
import Logging
import Messaging
import Model
import ObjectStore
import PluginHost
import StateStore
import TaskManager

/// The embedded implementation of every seam, on one host and one home.
final class EmbeddedShape: Sendable {
    let home: Home
    let address: ListenAddress
    let installation: Installation
    let configuration: WorkerConfiguration
    let catalogue: Catalogue
    let store: SQLiteStateStore
    let compute: LocalCompute
    let objects: DirectoryObjectStore
    let bus: LocalHubBus
    let plugins: PluginSwitch
    let identity: BuiltInIdentity
    private let logger = Log.make("worker")

    init(home: Home, address: ListenAddress) async throws {
        self.home = home
        self.address = address
        installation = try Installation()
        let own = home.configuration + "/trove.yaml"
        configuration = try await WorkerConfiguration.read(
            Files.exists(own) ? own : installation.configuration + "/trove.yaml"
        )
        catalogue = try Catalogue.read(home: home, installation: installation)
        store = try SQLiteStateStore(path: home.database, logger: Log.make("store"))
        try await catalogue.reconcile(store, random: SystemRandomSource(), logger: logger)
        compute = try Self.makeCompute(home: home, installation: installation, configuration: configuration)
        objects = DirectoryObjectStore(root: home.backups)
        bus = LocalHubBus(path: compute.paths.homeRun + "/bus.sock", name: "control", logger: Log.make("bus"))
        plugins = Self.makePlugins(installation: installation, catalogue: catalogue)
        identity = try await BuiltInIdentity(
            directory: home.secrets, store: store, region: configuration.region, clock: SystemWallClock(),
            random: SystemRandomSource(), logger: Log.make("identity")
        )
        try await identity.writeClientFiles(
            home: home.path, baseURL: configuration.publicEndpoint ?? address.url
        )
    }

    /// Where agents and the control plane meet.
    var busPath: String { compute.paths.homeRun + "/bus.sock" }

    static func makeCompute(
        home: Home, installation: Installation, configuration: WorkerConfiguration, isObserver: Bool = false
    ) throws -> LocalCompute {
        var settings = LocalComputeConfiguration(
            home: home.path, guestExecutable: installation.guestExecutable, logger: Log.make("compute")
        )
        settings.addressRange = configuration.addressRange
        settings.uidRange = configuration.uidRange
        settings.overcommit = configuration.volumeOvercommit
        settings.isObserver = isObserver
        if configuration.isUnprivileged { settings.isPrivileged = false }
        do {
            return try LocalCompute(settings)
        } catch {
            throw StartError(error.message)
        }
    }

    private static func makePlugins(installation: Installation, catalogue: Catalogue) -> PluginSwitch {
        PluginSwitch(enabled: catalogue.enabledPlugins) { enabled in
            PluginRunnerClient(
                command: [installation.executable, "plugin-runner"],
                configuration: PluginHostConfiguration(
                    directories: catalogue.pluginDirectories, enabled: enabled,
                    disabled: catalogue.plugins.disabled, role: .control, settings: catalogue.plugins.settings,
                    probeCommand: [installation.executable, "plugin-probe"], logger: Log.make("plugins")
                )
            )
        }
    }

    /// Everything that flows work with.
    func flowServices() -> FlowServices {
        FlowServices(
            store: store, compute: compute, objects: objects, keys: ProjectKeys(directory: home.secrets + "/projects"),
            plugins: plugins, bus: bus,
            configuration: TaskManagerConfiguration(
                owner: "local", flavors: catalogue.flavors, guestDefaults: guestDefaults,
                lease: .seconds(configuration.lease), concurrency: configuration.concurrency,
                usageTimeout: .seconds(configuration.usageTimeout),
                restoreUsageTimeout: .seconds(configuration.restoreUsageTimeout),
                backupTimeout: .seconds(configuration.backupTimeout)
            )
        )
    }

    /// What every guest is told.
    private var guestDefaults: JSONValue {
        [
            "bus": ["socket": .string(busPath)],
            "object_store": ["directory": .string(home.backups)],
            "report_interval_s": .int(Int64(configuration.reportInterval)),
            "plugins": [
                "directories": .array(catalogue.pluginDirectories.map(JSONValue.string)),
                "settings": .object(catalogue.plugins.settings),
                "disabled": .array(catalogue.plugins.disabled.sorted().map(JSONValue.string)),
            ],
        ]
    }

    func api(services: FlowServices, listener: Int32) async throws -> APIService {
        do {
            try await plugins.start(deadline: .after(.seconds(60)))
        } catch {
            throw StartError("the plugins could not be started: \(error.message)")
        }
        return APIService(
            configuration: APIConfiguration(
                publicEndpoint: configuration.publicEndpoint, region: configuration.region,
                flavors: catalogue.flavors, defaultDatastore: configuration.defaultDatastore,
                quotas: configuration.quotas,
                maximumVolumeGiB: configuration.maximumVolumeGiB, pageSize: configuration.pageSize,
                rateLimits: configuration.rateLimits,
                heartbeatExpiry: .seconds(configuration.heartbeatExpiry),
                maximumBodyBytes: configuration.maximumBodyBytes, listenDescription: "\(address)",
                hasConstantRoute: configuration.hasConstantRoute
            ),
            listener: listener, store: store, identity: identity, plugins: plugins, guests: services.guests,
            taskManager: TaskManagerClient(bus), clock: SystemWallClock(), random: SystemRandomSource(),
            logger: Log.make("api")
        )
    }

    /// Reads the datastore files again and makes the catalogue's rows equal to them. What is wrong is printed, and
    /// changes nothing.
    func reload() async {
        do {
            let fresh = try Catalogue.read(home: home, installation: installation)
            // The plugins first: a version that is in the catalogue can be created.
            try await plugins.enable(fresh.enabledPlugins, deadline: .after(.seconds(60)))
            try await fresh.reconcile(store, random: SystemRandomSource(), logger: logger)
            logger.notice("datastore files read again")
        } catch {
            Output.error("the datastore files are not taken: \((error as? PluginError)?.message ?? "\(error)")")
        }
    }
}
