// SPDX-License-Identifier: Apache-2.0

package import Calls
package import Identity
package import Logging
package import Model
package import PluginHost
package import Policy
package import StateStore

/// What every route works with.
package struct APIServices: Sendable {
    package let configuration: APIConfiguration
    package let store: any StateStore
    package let identity: any IdentityService
    package let plugins: any ControlPlugins
    package let guests: GuestClient
    package let taskManager: TaskManagerClient
    package let clock: any WallClock
    package let random: any RandomSource
    package let policy: PolicyStore
    package let logger: Logger

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
        self.logger = logger
    }
}
