// SPDX-License-Identifier: Apache-2.0

package import Calls
package import Compute
package import Messaging
package import Model
package import Notifications
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
    package var notifier: Notifier
    /// How guests reach the broker; nil: over the control plane's own hub.
    package var guestBus: GuestBus?
    /// Rung when the journal has recorded something.
    package var bell: EventBell

    package init(
        store: any StateStore,
        compute: any ComputeDriver,
        objects: any ObjectStore,
        keys: ProjectKeys,
        plugins: any ControlPlugins,
        bus: any MessageBus,
        configuration: TaskManagerConfiguration,
        clock: any WallClock = SystemWallClock(),
        random: any RandomSource = SystemRandomSource(),
        notifier: Notifier = .off,
        guestBus: GuestBus? = nil,
        bell: EventBell = EventBell()
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
        self.notifier = notifier
        self.guestBus = guestBus
        self.bell = bell
    }
}

/// How the task manager works.
package struct TaskManagerConfiguration: Sendable {
    /// The task manager's name, which no other one may have at the same time.
    package var name: String
    /// This run of it, unlike any other.
    package var incarnation: String
    /// Whether something else, such as a home's lock, makes sure that no other process has this name: then nobody has to
    /// wait for the lease of the last run to run out.
    package var isAlone: Bool
    /// What the operator's file has now.
    package var flavors: [Flavor] { flavorSource() }
    private let flavorSource: @Sendable () -> [Flavor]
    /// How long a claimed row, and the name, stay claimed without renewal.
    package var lease: Duration
    /// The same for periodic work, which another one takes up when its process has gone.
    package var roleLease: Duration
    /// How often the journal is looked at without being told to.
    package var pollInterval: Duration
    /// Flows that run at the same time.
    package var concurrency: Int
    /// How long a new instance may take to become healthy.
    package var usageTimeout: Duration
    /// The same for one that is restored.
    package var restoreUsageTimeout: Duration
    package var backupTimeout: Duration
    /// How long events of operations are kept.
    package var eventRetention: Duration
    /// Members of every new guest's configuration, as they are now: bus, object store, plugin directories and settings, report interval.
    package var guestDefaults: JSONValue { guestSource() }
    private let guestSource: @Sendable () -> JSONValue

    package init(
        owner name: String,
        incarnation: String = ProcessIncarnation.name(),
        isAlone: Bool = false,
        flavors: @autoclosure @Sendable @escaping () -> [Flavor],
        guestDefaults: @autoclosure @Sendable @escaping () -> JSONValue,
        lease: Duration = .seconds(30),
        roleLease: Duration = .seconds(5),
        pollInterval: Duration = .seconds(2),
        concurrency: Int = 16,
        usageTimeout: Duration = .seconds(1800),
        restoreUsageTimeout: Duration = .seconds(3600),
        backupTimeout: Duration = .seconds(86_400),
        eventRetention: Duration = .seconds(604_800)
    ) {
        self.name = name
        self.incarnation = incarnation
        self.isAlone = isAlone
        flavorSource = flavors
        guestSource = guestDefaults
        self.lease = lease
        self.roleLease = min(roleLease, lease)
        self.pollInterval = pollInterval
        self.concurrency = concurrency
        self.usageTimeout = usageTimeout
        self.restoreUsageTimeout = restoreUsageTimeout
        self.backupTimeout = backupTimeout
        self.eventRetention = eventRetention
    }
}

extension TaskManagerConfiguration {
    /// Who leases rows and roles.
    package var owner: String { "\(name)/\(incarnation)" }

    /// Whether `owner` is a process of this name: while this one has the name, one that has gone, or itself.
    package func isOwnName(_ owner: String) -> Bool {
        guard let slash = owner.lastIndex(of: "/") else { return owner == name }
        return owner[..<slash] == name
    }

    /// Whether the process behind `owner` is known to be no more.
    package func hasEnded(_ owner: String) -> Bool {
        if isAlone, isOwnName(owner), owner != self.owner { return true }
        guard let slash = owner.lastIndex(of: "/") else { return false }
        return ProcessIncarnation.hasEnded(String(owner[owner.index(after: slash)...]))
    }
}
