// SPDX-License-Identifier: Apache-2.0

import API
import Calls
import Compute
import Glibc
import HTTPClient
import Identity
import Logging
import Messaging
import Model
import ObjectStore
import PluginHost
import Policy
import StateStore
import Synchronization
import TaskManager

/// The embedded implementation of every seam, on one host and one home.
final class EmbeddedShape: Sendable {
    let home: Home
    let address: ListenAddress
    let installation: Installation
    let configuration: WorkerConfiguration
    private let current: Mutex<Catalogue>
    let store: SQLiteStateStore
    let compute: LocalCompute
    let objects: DirectoryObjectStore
    let bus: LocalHubBus
    let plugins: PluginSwitch
    let identity: BuiltInIdentity
    let policy: PolicyStore
    private let logger = Log.make("worker")

    init(home: Home, address: ListenAddress) async throws {
        self.home = home
        self.address = address
        installation = try Installation()
        let own = home.configuration + "/trove.yaml"
        configuration = try await WorkerConfiguration.read(
            Files.exists(own) ? own : installation.configuration + "/trove.yaml"
        )
        try DatastoreSamples.seed(home, installation)
        let catalogue = try Catalogue.read(home: home, installation: installation)
        current = Mutex(catalogue)
        policy = PolicyStore(catalogue.policy)
        Self.warn(of: catalogue.policy, logger)
        store = try SQLiteStateStore(path: home.database, logger: Log.make("store"))
        try await catalogue.reconcile(store, random: SystemRandomSource(), logger: logger)
        compute = try Self.makeCompute(home: home, installation: installation, configuration: configuration)
        objects = DirectoryObjectStore(root: home.backups)
        bus = LocalHubBus(path: compute.paths.homeRun + "/bus.sock", name: "control", logger: Log.make("bus"))
        plugins = Self.makePlugins(
            home: home, installation: installation, catalogue: catalogue,
            services: ControlPluginServices(
                store: store, guests: GuestClient(bus), logger: Log.make("plugin-services")),
            selection: catalogue.selection(pinned: try await Self.pinned(store, catalogue)))
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

    /// The operator's files as they were read last.
    var catalogue: Catalogue { current.withLock { $0 } }

    /// References `id@version` of instances, as far as they are on disk.
    private static func pinned(_ store: any StateStore, _ catalogue: Catalogue) async throws -> Set<String> {
        let pins = try await store.read { transaction in
            try transaction.instances.all().reduce(into: Set<String>()) { pins, instance in
                for (_, value) in instance.plugins.objectValue ?? [:] {
                    pins.formUnion(([value] + (value.arrayValue ?? [])).compactMap(\.stringValue))
                }
            }
        }
        return await present(pins, catalogue)
    }

    /// References with a version that the plugin directories have.
    private static func present(_ references: Set<String>, _ catalogue: Catalogue) async -> Set<String> {
        let directories = catalogue.pluginDirectories
        let wanted = references.map { PluginReference($0) }.filter { $0.version != nil }
        guard !wanted.isEmpty else { return [] }
        return await BlockingCall.run {
            let catalog = PluginCatalog(directories: directories)
            return Set(wanted.filter { catalog.find($0) != nil }.map(\.description))
        }
    }

    private static func makePlugins(
        home: Home, installation: Installation, catalogue: Catalogue, services: any WorkerServices,
        selection: PluginSelection
    ) -> PluginSwitch {
        let state = PluginStateFile(home)
        return PluginSwitch(
            selection: selection, quarantine: catalogue.decisions.quarantine,
            make: { selection, onFault in
                var configuration = PluginHostConfiguration(
                    directories: selection.directories, enabled: selection.enabled, disabled: selection.disabled,
                    role: .control, settings: selection.settings,
                    probeCommand: [installation.executable, "plugin-probe"], logger: Log.make("plugins"))
                configuration.trust = selection.trust
                configuration.active = selection.active
                configuration.egress = selection.egress
                configuration.http = selection.http
                configuration.objectDirectory = home.pluginObjects
                configuration.coreRoutes = APIResponder.coreRouteNames(hasConstantRoute: true)
                return PluginRunnerClient(
                    command: [installation.executable, "plugin-runner"], configuration: configuration,
                    services: services, onFault: onFault)
            },
            save: { reference, quarantine in
                do {
                    try state.update { $0.quarantine[reference] = quarantine }
                } catch {
                    Output.error("the quarantine of \(reference) is not kept: \(error)")
                }
            },
            logger: Log.make("plugins"))
    }

    /// Everything that flows work with.
    func flowServices() -> FlowServices {
        FlowServices(
            store: store, compute: compute, objects: objects, keys: ProjectKeys(directory: home.secrets + "/projects"),
            plugins: plugins, bus: bus,
            configuration: TaskManagerConfiguration(
                owner: "local", flavors: self.catalogue.flavors, guestDefaults: self.guestDefaults,
                lease: .seconds(configuration.lease), concurrency: configuration.concurrency,
                usageTimeout: .seconds(configuration.usageTimeout),
                restoreUsageTimeout: .seconds(configuration.restoreUsageTimeout),
                backupTimeout: .seconds(configuration.backupTimeout)
            )
        )
    }

    /// What every guest is told.
    private var guestDefaults: JSONValue {
        let catalogue = catalogue
        return [
            "bus": ["socket": .string(busPath)],
            "object_store": ["directory": .string(home.backups), "plugins": .string(home.pluginObjects)],
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

    func api(services: FlowServices, listener: Int32) async throws -> APIService {
        do {
            try await plugins.start(deadline: .after(.seconds(60)))
        } catch {
            throw StartError("the plugins could not be started: \(error.message)")
        }
        await tellStatus(generation: catalogue.decisions.generation)
        return APIService(
            configuration: APIConfiguration(
                publicEndpoint: configuration.publicEndpoint, region: configuration.region,
                flavors: self.catalogue.flavors, defaultDatastore: configuration.defaultDatastore,
                quotas: configuration.quotas,
                maximumVolumeGiB: configuration.maximumVolumeGiB, pageSize: configuration.pageSize,
                rateLimits: configuration.rateLimits,
                heartbeatExpiry: .seconds(configuration.heartbeatExpiry),
                maximumBodyBytes: configuration.maximumBodyBytes, listenDescription: "\(address)",
                hasConstantRoute: configuration.hasConstantRoute
            ),
            listener: listener, store: store, identity: identity, plugins: plugins, guests: services.guests,
            taskManager: TaskManagerClient(bus), clock: SystemWallClock(), random: SystemRandomSource(),
            policy: policy, logger: Log.make("api")
        )
    }

    /// Reads the operator's files and decisions again and makes them true. What is wrong is printed, and changes nothing.
    func reload() async {
        let decided = (try? PluginStateFile(home).read().generation) ?? 0
        do {
            let fresh = try Catalogue.read(home: home, installation: installation)
            try await checkFlavors(fresh)
            plugins.setQuarantine(fresh.decisions.quarantine)
            // What runs now stays mapped: an instance that is being created may just have been given that version.
            var kept = try await Self.pinned(store, fresh)
            kept.formUnion(await Self.present(plugins.mapped, fresh))
            // The plugins first: a version that is in the catalogue can be created.
            try await plugins.apply(fresh.selection(pinned: kept), deadline: .after(.seconds(60)))
            try await fresh.reconcile(store, random: SystemRandomSource(), logger: logger)
            current.withLock { $0 = fresh }
            policy.replace(fresh.policy)
            Self.warn(of: fresh.policy, logger)
            // Commands leave work in the journal.
            await TaskManagerClient(bus).wake(context: RequestContext(requestID: SystemRandomSource().requestID()))
            logger.notice("the operator's files were read again")
            await tellStatus(generation: fresh.decisions.generation)
        } catch {
            let message = (error as? PluginError)?.message ?? "\(error)"
            Output.error("the operator's files are not taken: \(message)")
            await tellStatus(generation: decided, error: message)
        }
    }

    /// Says which rules can never hold.
    private static func warn(of rules: PolicyRules, _ logger: Logger) {
        for warning in rules.warnings { logger.warning("policy", metadata: ["rule": "\(warning)"]) }
    }

    /// Answers commands that wait for what they decided.
    func tellStatus(generation: Int, error: String? = nil) async {
        let status = PluginStatus(
            generation: generation, pid: Int(getpid()), error: error, plugins: await plugins.plugins,
            refusals: await plugins.refusals)
        let home = home
        await BlockingCall.run { status.write(home) }
    }

    /// Instances keep their flavor, so it must stay in the file.
    private func checkFlavors(_ fresh: Catalogue) async throws {
        let known = Set(fresh.flavors.map(\.id))
        let orphans = try await store.read { transaction in
            try transaction.instances.all().filter { !known.contains($0.flavorID) }
        }
        guard let orphan = orphans.first else { return }
        throw StartError(
            "flavors.yaml: flavor \(orphan.flavorID) is gone and \(orphans.count) instances have it (\(orphan.id)): put "
                + "it back")
    }
}
