// SPDX-License-Identifier: Apache-2.0

package import Calls
package import Identity
package import Logging
package import Model
package import Notifications
package import PluginHost
package import Policy
package import StateStore

/// What every route works with.
package struct APIServices: Sendable {
    package let configuration: APIConfiguration
    package internal(set) var store: any StateStore
    package let identity: any IdentityService
    package internal(set) var plugins: any ControlPlugins
    package internal(set) var guests: GuestClient
    package internal(set) var taskManager: TaskManagerClient
    package let clock: any WallClock
    package let random: any RandomSource
    package let policy: PolicyStore
    package internal(set) var notifier: Notifier
    package let objects: any PublishedObjects
    /// Whose certificates TLS of engines takes; nil: there are none to be had.
    package let certificates: (any CertificateContainers)?
    /// The key manager inside the control plane; nil: it is another service, or there is none.
    package let keyManager: KeyManagement?
    package let logger: Logger
    /// What follows the journal for the streams of this process.
    package let feed: EventFeed
    /// Rung when the journal has recorded something.
    let bell: EventBell

    package init(
        configuration: APIConfiguration,
        store: any StateStore,
        identity: any IdentityService,
        plugins: any ControlPlugins,
        guests: GuestClient,
        taskManager: TaskManagerClient,
        clock: any WallClock,
        random: any RandomSource,
        policy: PolicyStore = PolicyStore(),
        notifier: Notifier = .off,
        objects: any PublishedObjects = NoObjects(),
        certificates: (any CertificateContainers)? = nil,
        keyManager: KeyManagement? = nil,
        bell: EventBell = EventBell(),
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.identity = identity
        self.plugins = plugins
        self.guests = guests
        self.taskManager = taskManager
        self.clock = clock
        self.random = random
        self.policy = policy
        self.notifier = notifier
        self.objects = objects
        self.certificates = certificates
        self.keyManager = keyManager
        self.logger = logger
        self.bell = bell
        feed = EventFeed(store: store, bell: bell, limit: configuration.eventStreams, logger: logger)
    }

    /// The same with another state store.
    func with(_ store: any StateStore) -> APIServices {
        var copy = self
        copy.store = store
        return copy
    }
}
