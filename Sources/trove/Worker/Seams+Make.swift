// SPDX-License-Identifier: Apache-2.0

import API
import Compute
import Glibc
import HTTPClient
import Identity
import Messaging
import Model
import PluginHost
import StateStore

/// Each seam's implementation, as the settings say.
extension Seams {
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
        if let host = configuration.computeHost { settings.host = host }
        if configuration.isUnprivileged { settings.isPrivileged = false }
        do {
            return try LocalCompute(settings)
        } catch {
            throw StartError(error.message)
        }
    }

    /// The broker's client, or the hub's where there is no broker.
    static func makeBus(
        _ configuration: WorkerConfiguration, _ compute: LocalCompute?, keyring: (any RPCKeyring)?
    ) throws -> (bus: any MessageBus, hubPath: String?) {
        guard configuration.bus.url != nil else {
            guard let compute else { throw StartError("without 'bus.url' one process serves all roles") }
            let path = compute.paths.homeRun + "/bus.sock"
            return (LocalHubBus(path: path, name: "control", logger: Log.make("bus")), path)
        }
        do {
            guard let broker = try configuration.bus.broker() else { throw StartError("'bus.url' needs a password") }
            return (RabbitBus(broker, name: "control", logger: Log.make("bus"), keyring: keyring), nil)
        } catch let error as MessagingError {
            throw StartError("bus: \(error.message)")
        }
    }

    /// Keystone, or the built-in service with the files that clients need.
    static func makeIdentity(
        _ configuration: WorkerConfiguration, home: Home, address: ListenAddress, store: any StateStore
    ) async throws -> any IdentityService {
        if let keystone = configuration.identity.keystone {
            do { return try KeystoneIdentity(keystone, logger: Log.make("identity")) } catch {
                throw StartError("identity: \(error.message)")
            }
        }
        let identity = try await BuiltInIdentity(
            directory: home.secrets, store: store, region: configuration.region,
            keyManager: configuration.keyManager.catalogued(configuration.bus), clock: SystemWallClock(),
            random: SystemRandomSource(), logger: Log.make("identity"))
        try await identity.writeClientFiles(home: home.path, baseURL: configuration.publicEndpoint ?? address.url)
        return identity
    }

    static func makePlugins(
        home: Home, installation: Installation, catalogue: Catalogue, parent: Int32,
        services: any WorkerServices, selection: PluginSelection
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
                    // Those who serve the other roles of this home.
                    for holder in HomeHolders.all(home) where holder.pid != parent { _ = holder.send(SIGHUP) }
                } catch {
                    Output.error("the quarantine of \(reference) is not kept: \(error)")
                }
            },
            logger: Log.make("plugins"))
    }
}
