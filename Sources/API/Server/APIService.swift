// SPDX-License-Identifier: Apache-2.0

package import Calls
import HummingbirdCore
package import Identity
package import Logging
package import Model
import NIOCore
package import Notifications
package import PluginHost
package import Policy
import ServiceLifecycle
package import StateStore

/// The REST API as a service: serves on an inherited listening socket until the process stops.
package final class APIService: Service {
    /// Answers requests, also without a socket.
    package let responder: APIResponder
    private let configuration: APIConfiguration
    private let listener: Int32
    private let certificates: ListenerCertificates?
    private let clock: any WallClock
    private let logger: Logger

    /// - Parameters:
    ///   - listener: A bound and listening stream socket. It stays open after a stop: the caller owns it.
    ///   - plugins: The control plane's half of the plugins; its routes are mounted as they come and go.
    ///   - taskManager: Woken after each accepted mutation.
    ///   - policy: Who may do what; also while it is replaced.
    ///   - containers: Whose certificates TLS of engines takes.
    ///   - keyManager: The key manager inside the control plane; nil: it is another service, or there is none.
    package init(
        configuration: APIConfiguration,
        listener: Int32,
        store: any StateStore,
        identity: any IdentityService,
        plugins: any ControlPlugins,
        guests: GuestClient,
        taskManager: TaskManagerClient,
        clock: any WallClock = SystemWallClock(),
        random: any RandomSource = SystemRandomSource(),
        policy: PolicyStore = PolicyStore(),
        notifier: Notifier = .off,
        objects: any PublishedObjects = NoObjects(),
        certificates containers: (any CertificateContainers)? = nil,
        keyManager: KeyManagement? = nil,
        bell: EventBell = EventBell(),
        logger: Logger
    ) {
        self.configuration = configuration
        self.listener = listener
        self.clock = clock
        self.logger = logger
        certificates = configuration.tls.map { ListenerCertificates($0, logger: logger) }
        responder = APIResponder(
            APIServices(
                configuration: configuration, store: store, identity: identity, plugins: plugins, guests: guests,
                taskManager: taskManager, clock: clock, random: random, policy: policy, notifier: notifier,
                objects: objects, certificates: containers, keyManager: keyManager, bell: bell, logger: logger
            )
        )
    }

    /// Reads the certificate and its key, so that what is wrong with them is known before anything is served. Blocking.
    ///
    /// - Throws: the file that is wrong, and what to do.
    package func loadCertificates() throws(ListenerError) { try certificates?.load() }

    /// Reads the certificate and its key again, for connections that come from now on.
    ///
    /// What cannot be used is logged, and changes nothing. It is also called when the files change.
    package func reloadCertificates() async { await certificates?.reload() }

    /// Serves until graceful stop or cancellation.
    ///
    /// After a graceful stop began, what is in progress may take `stopTimeout`; no request is cut off before.
    ///
    /// - Throws: `ListenerError`; `IOError` when the descriptor is not a listening socket.
    package func run() async throws {
        _ = await responder.mountPluginRoutes()
        _ = try certificates?.context()
        logger.notice("api serving", metadata: ["http.address": .string(configuration.listenDescription)])
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { [self] in await certificates?.watch(every: configuration.certificateCheckInterval) }
                group.addTask { [responder] in await responder.keepRates() }
                group.addTask { [responder] in await responder.followEvents() }
                try await makeListener().run()
                group.cancelAll()
            }
        } onGracefulShutdown: { [responder] in
            responder.beginDrain()
        }
        logger.notice("api stopped", metadata: ["http.address": .string(configuration.listenDescription)])
    }

    private func makeListener() -> InheritedListener {
        let bridge = HTTPBridge(responder: responder, configuration: configuration, clock: clock)
        let child = HTTP1Channel(
            responder: { request, writer, channel in try await bridge.handle(request, writer, channel) },
            configuration: HTTP1Channel.Configuration(
                idleTimeout: TimeAmount(configuration.idleTimeout),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 32 * 1024, maxHeaderListSize: 64 * 1024, maxHeaderFieldCount: 100
                )
            )
        )
        return InheritedListener(
            descriptor: listener, child: child, maximumConnections: configuration.maximumConnections,
            stopTimeout: configuration.stopTimeout, certificates: certificates,
            deadlines: ConnectionDeadlines(
                head: TimeAmount(configuration.headTimeout), write: TimeAmount(configuration.bodyTimeout)),
            logger: logger
        )
    }
}
