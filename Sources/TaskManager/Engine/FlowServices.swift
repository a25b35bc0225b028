// SPDX-License-Identifier: Apache-2.0

package import Calls
package import Compute
package import Messaging
package import Model
package import ObjectStore
package import PluginHost
package import StateStore

/// What flows work with; every member is a protocol or a value, so that each shape brings its own.
package struct FlowServices: Sendable {
    package var store: any StateStore
    package var compute: any ComputeDriver
    package var objects: any ObjectStore
    package var keys: ProjectKeys
    package var plugins: any ControlPlugins
    package var bus: any MessageBus
    package var guests: GuestClient
    package var changes: ChangeSignal
    package var clock: any WallClock
    package var random: any RandomSource
    package var configuration: TaskManagerConfiguration

    package init(
        store: any StateStore,
        compute: any ComputeDriver,
        objects: any ObjectStore,
        keys: ProjectKeys,
        plugins: any ControlPlugins,
        bus: any MessageBus,
        configuration: TaskManagerConfiguration,
        clock: any WallClock = SystemWallClock(),
        random: any RandomSource = SystemRandomSource()
    ) {
        self.store = store
        self.compute = compute
        self.objects = objects
        self.keys = keys
        self.plugins = plugins
        self.bus = bus
        guests = GuestClient(bus)
        changes = ChangeSignal()
        self.clock = clock
        self.random = random
        self.configuration = configuration
    }
}

/// How the task manager works.
package struct TaskManagerConfiguration: Sendable {
    /// Name under which rows are leased; a restart under the same name takes its rows back at once.
    package var owner: String
    /// What the operator's file has now.
    package var flavors: [Flavor] { flavorSource() }
    private let flavorSource: @Sendable () -> [Flavor]
    /// How long a claimed row stays claimed without renewal.
    package var lease: Duration
    /// Flows that run at the same time.
    package var concurrency: Int
    /// How long a new instance may take to become healthy.
    package var usageTimeout: Duration
    /// The same for one that is restored.
    package var restoreUsageTimeout: Duration
    package var backupTimeout: Duration
    /// Members of every new guest's configuration, as they are now: bus, object store, plugin directories and settings, report interval.
    package var guestDefaults: JSONValue { guestSource() }
    private let guestSource: @Sendable () -> JSONValue

    package init(
        owner: String,
        flavors: @autoclosure @Sendable @escaping () -> [Flavor],
        guestDefaults: @autoclosure @Sendable @escaping () -> JSONValue,
        lease: Duration = .seconds(30),
        concurrency: Int = 16,
        usageTimeout: Duration = .seconds(1800),
        restoreUsageTimeout: Duration = .seconds(3600),
        backupTimeout: Duration = .seconds(86_400)
    ) {
        self.owner = owner
        flavorSource = flavors
        guestSource = guestDefaults
        self.lease = lease
        self.concurrency = concurrency
        self.usageTimeout = usageTimeout
        self.restoreUsageTimeout = restoreUsageTimeout
        self.backupTimeout = backupTimeout
    }
}
