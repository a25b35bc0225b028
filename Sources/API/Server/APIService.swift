// SPDX-License-Identifier: Apache-2.0

package import Calls
import HummingbirdCore
package import Identity
package import Logging
package import Model
import NIOCore
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
    private let clock: any WallClock
    private let logger: Logger

    /// - Parameters:
    ///   - listener: A bound and listening stream socket. It stays open after a stop: the caller owns it.
    ///   - plugins: The control plane's half of the plugins; its routes are mounted as they come and go.
    ///   - taskManager: Woken after each accepted mutation.
    ///   - policy: Who may do what; also while it is replaced.
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
        logger: Logger
    ) {
        self.configuration = configuration
        self.listener = listener
        self.clock = clock
        self.logger = logger
        responder = APIResponder(
            APIServices(
                configuration: configuration, store: store, identity: identity, plugins: plugins, guests: guests,
                taskManager: taskManager, clock: clock, random: random, policy: policy, logger: logger
            )
        )
    }

    /// Serves until graceful stop or cancellation.
    ///
    /// - Throws: when the descriptor is not a listening socket.
    package func run() async throws {
        _ = await responder.mountPluginRoutes()
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
        logger.notice("api serving", metadata: ["http.address": .string(configuration.listenDescription)])
        try await InheritedListener(
            descriptor: listener, child: child, maximumConnections: configuration.maximumConnections,
            stopTimeout: configuration.stopTimeout, logger: logger
        ).run()
        logger.notice("api stopped", metadata: ["http.address": .string(configuration.listenDescription)])
    }
}
