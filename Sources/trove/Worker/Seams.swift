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
import Notifications
import ObjectStore
import PluginHost
import Policy
import StateStore
import Synchronization
import TaskManager

/// The implementation of every seam that a worker's roles need and its settings choose.
final class Seams: Sendable {
    let home: Home
    let address: ListenAddress
    let place: WorkerPlace
    let installation: Installation
    let configuration: WorkerConfiguration
    private let current: Mutex<Catalogue>
    let store: any StateStore
    /// This host's compute; nil in a process that makes no instances.
    let compute: LocalCompute?
    let objects: DirectoryObjectStore
    let bus: any MessageBus
    /// Path of the hub's socket; nil with a broker.
    let hubPath: String?
    let plugins: PluginSwitch
    let identity: any IdentityService
    let policy: PolicyStore
    let keys: KeyManagerServices
    let notifier: Notifier
    /// Between the task manager and the API of one process.
    let bell = EventBell()
    private let logger = Log.make("worker")

    init(home: Home, address: ListenAddress, place: WorkerPlace) async throws {
        self.home = home
        self.address = address
        self.place = place
        installation = try Installation()
        configuration = try await WorkerConfiguration.read(home, installation)
        try configuration.check(place.roles)
        try DatastoreSamples.seed(home, installation)
        let catalogue = try Catalogue.read(home: home, installation: installation)
        current = Mutex(catalogue)
        policy = PolicyStore(catalogue.policy)
        Self.warn(of: catalogue.policy, logger)
        store = try await StateStoreFactory.open(
            configuration.state.store(home), mayBeAway: true, logger: Log.make("store"))
        compute =
            place.roles.contains(.taskmanager) || configuration.bus.url == nil
            ? try Self.makeCompute(home: home, installation: installation, configuration: configuration) : nil
        objects = DirectoryObjectStore(root: home.backups)
        (bus, hubPath) = try Self.makeBus(configuration, compute, keyring: configuration.bus.keyring(store))
        notifier = Notifier.make(
            configuration.notifications.notifications(
                host: configuration.hostName, region: configuration.region, quotas: configuration.quotaLimits),
            bus: bus, logger: Log.make("notifications"))
        plugins = Self.makePlugins(
            home: home, installation: installation, catalogue: catalogue, parent: place.parent,
            services: ControlPluginServices(
                store: store, guests: GuestClient(bus), logger: Log.make("plugin-services")),
            selection: catalogue.selection(pinned: try await Self.pinned(store, catalogue)))
        keys = try KeyManagerServices(configuration, home: home, store: store)
        identity = try await Self.makeIdentity(configuration, home: home, address: address, store: store)
    }

    /// Makes the catalogue's rows equal to the operator's files, once the state store is there.
    func reconcile() async throws {
        try await catalogue.reconcile(store, random: SystemRandomSource(), logger: logger)
    }

    /// The operator's files as they were read last.
    var catalogue: Catalogue { current.withLock { $0 } }

    /// References `id@version` of instances, as far as they are on disk.
    private static func pinned(_ store: any StateStore, _ catalogue: Catalogue) async throws -> Set<String> {
        do {
            let pins = try await store.read { transaction in
                try transaction.instances.all().reduce(into: Set<String>()) { pins, instance in
                    for (_, value) in instance.plugins.objectValue ?? [:] {
                        pins.formUnion(([value] + (value.arrayValue ?? [])).compactMap(\.stringValue))
                    }
                }
            }
            // Versions that administrators made name plugins that perhaps no file names.
            let made = try await store.read { transaction in
                try transaction.datastores.allVersions().filter { $0.manager != nil && $0.isActive }
                    .reduce(into: Set<String>()) { $0.formUnion(PluginReference.all(in: $1.plugins)) }
            }
            return await present(pins, catalogue).union(present(made, catalogue, unversioned: true))
        } catch let error as StateStoreError where error.isRetryable {
            // Every version that is on disk, until the database is there again to say which ones are used.
            let directories = catalogue.pluginDirectories
            return await BlockingCall.run {
                Set(PluginCatalog(directories: directories).candidates.map(\.manifest.reference))
            }
        }
    }

    /// References that the plugin directories have.
    ///
    /// - Parameter unversioned: Whether those without a version count.
    private static func present(
        _ references: Set<String>, _ catalogue: Catalogue, unversioned: Bool = false
    ) async -> Set<String> {
        let directories = catalogue.pluginDirectories
        let wanted = references.map { PluginReference($0) }.filter { unversioned || $0.version != nil }
        guard !wanted.isEmpty else { return [] }
        return await BlockingCall.run {
            let catalog = PluginCatalog(directories: directories)
            return Set(wanted.filter { catalog.find($0) != nil }.map(\.description))
        }
    }

    /// Starts the plugin runner and says what it maps.
    func startPlugins() async throws {
        do {
            try await plugins.start(deadline: .after(.seconds(60)))
        } catch {
            throw StartError("the plugins could not be started: \(error.message)")
        }
        await tellStatus(generation: catalogue.decisions.generation)
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
        guard place.isSpeaker else { return }
        let status = PluginStatus(
            generation: generation, pid: Int(getpid()), error: error, plugins: await plugins.plugins,
            refusals: await plugins.refusals)
        let (home, parent) = (home, place.isAlone ? nil : place.parent)
        await BlockingCall.run { status.write(home, parent: parent) }
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
