// SPDX-License-Identifier: Apache-2.0

import Compute
import Foundation
import Logging
import Messaging
import Model
import ObjectStore
import PluginHost
import StateStore
import Synchronization
import TaskManager
import TestSupport

/// Several task managers over one state store, as processes of their own would be.
struct Crew {
    /// One of them: its dispatcher and its way to the store.
    final class Member: Sendable {
        let name: String
        let store: SwitchedStore
        let services: FlowServices
        let dispatcher: FlowDispatcher
        private let work = Mutex<Task<Void, Never>?>(nil)

        init(_ name: String, store: SwitchedStore, services: FlowServices, flows: [any Flow]) {
            (self.name, self.store, self.services) = (name, store, services)
            dispatcher = FlowDispatcher(services: services, logger: Crew.logger, flows: flows)
        }

        func start() {
            let dispatcher = dispatcher
            work.withLock { $0 = Task { await dispatcher.run() } }
        }

        /// A clean stop.
        func stop() async {
            let task = work.withLock { $0 }
            task?.cancel()
            await task?.value
        }

        /// What kill -9 leaves: nothing is written any more, nothing is given back.
        func kill() async {
            store.cut()
            await stop()
        }
    }

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// What their rows are in.
    enum Driver: String, Sendable, CaseIterable { case sqlite, mariadb }

    let store: any StateStore
    let clock: SteppedClock
    let bus: any MessageBus
    private let directory: ScratchDirectory

    init(bus: any MessageBus = AbsentBus()) throws {
        let (directory, clock) = (try ScratchDirectory(), SteppedClock())
        try self.init(
            SQLiteStateStore(path: directory.path + "/state/trove.db", clock: clock, logger: Self.logger), clock,
            directory, bus)
    }

    init(_ store: any StateStore, _ clock: SteppedClock, _ directory: ScratchDirectory, _ bus: any MessageBus) throws {
        (self.store, self.clock, self.directory, self.bus) = (store, clock, directory, bus)
    }

    static func on(_ driver: Driver) async throws -> Crew {
        switch driver {
        case .sqlite: return try Crew()
        case .mariadb:
            let clock = SteppedClock()
            let store = try await ServerDatabase.open(Nodes.shared([.mariadb]), clock: clock)
            return try Crew(store, clock, ScratchDirectory(), AbsentBus())
        }
    }

    func services(
        _ name: String, store: any StateStore, incarnation: String = UUID().uuidString, host: String? = nil,
        lease: Duration = .seconds(2), roleLease: Duration = .seconds(2)
    ) -> FlowServices {
        FlowServices(
            store: store, compute: HostOnly(host: host),
            objects: DirectoryObjectStore(root: directory.path + "/objects"),
            keys: ProjectKeys(directory: directory.path + "/keys"), plugins: AbsentPlugins(), bus: bus,
            configuration: TaskManagerConfiguration(
                owner: name, incarnation: incarnation,
                flavors: [Flavor(id: "1", name: "tiny", ramMiB: 512, vcpus: 1)], guestDefaults: [:],
                lease: lease, roleLease: roleLease, pollInterval: .milliseconds(100)
            ),
            clock: clock
        )
    }

    func member(
        _ name: String, _ flow: any Flow, incarnation: String = UUID().uuidString, host: String? = nil,
        lease: Duration = .seconds(2)
    ) -> Member {
        let store = SwitchedStore(store)
        return Member(
            name, store: store,
            services: services(name, store: store, incarnation: incarnation, host: host, lease: lease), flows: [flow])
    }

    /// An instance with an operation on it, accepted now.
    func order(_ id: String, _ flow: FlowName = .restartInstance, on host: String? = nil) async throws {
        let now = clock.now
        try await store.write(.relaxed) { transaction in
            if try transaction.datastores.find(idOrName: "ds") == nil {
                try transaction.datastores.upsert(DatastoreRecord(id: "ds", name: "engine", defaultVersionID: nil))
                try transaction.datastores.upsert(
                    DatastoreVersionRecord(
                        id: "v1", datastoreID: "ds", name: "1", number: "1", isActive: true, packages: [], plugins: [:]
                    )
                )
            }
            var instance = InstanceRecord(
                id: id, name: id, projectID: "p", flavorID: "1", volumeGiB: 1, datastoreVersionID: "v1", created: now,
                task: .rebooting)
            instance.computeHost = host
            try transaction.instances.insert(instance)
            var row = JournalRecord(
                id: "op-" + id, requestID: "req-1", projectID: "p", userID: "u", flow: flow.rawValue, resourceID: id,
                input: ["instance_id": .string(id)], created: now)
            row.host = host
            try transaction.journal.insert(row)
        }
    }

    func row(_ id: String) async throws -> JournalRecord? { try await store.read { try $0.journal.find("op-" + id) } }

    /// Waits until the operation on `id` has ended, also while the database is away.
    func end(of id: String, within limit: Duration = .seconds(30)) async throws -> JournalRecord.State? {
        let deadline = Deadline.after(limit)
        while !deadline.isPast {
            if let state = try? await row(id)?.state, state == .done || state == .failed { return state }
            try await Task.sleep(for: .milliseconds(20))
        }
        return try await row(id)?.state
    }
}

/// Compute of one host, which must not be asked for more than its name.
struct HostOnly: PartialCompute {
    let host: String?

    init(host: String?) { self.host = host }
    func serverStatus(_ instanceID: String) async -> ServerStatus { .unknown }
}

/// What steps of several task managers did, and whether two were ever in one instance's step at a time.
final class Watchman: Sendable {
    private struct State {
        var inside: [String: Int] = [:]
        var overlaps: [String] = []
        var visits: [String] = []
    }

    private let state = Mutex(State())

    var overlaps: [String] { state.withLock { $0.overlaps } }
    /// `<instance>/<step>` in the order in which they began.
    var visits: [String] { state.withLock { $0.visits } }

    func pass(_ run: FlowRun, _ step: String, _ body: () async throws -> Void) async throws {
        let id = run.record.resourceID
        state.withLock { state in
            state.visits.append("\(id)/\(step)")
            state.inside[id, default: 0] += 1
            if state.inside[id] != 1 { state.overlaps.append("\(id)/\(step)") }
        }
        defer { state.withLock { $0.inside[id, default: 1] -= 1 } }
        try await body()
    }

    func wait(for visit: String) async {
        while !visits.contains(visit) { try? await Task.sleep(for: .milliseconds(10)) }
    }
}

/// Three steps under a watchman's eyes; what the middle one does is told.
struct WatchedFlow: Flow {
    static let name = FlowName.restartInstance
    let watchman: Watchman
    var middle: @Sendable (FlowRun) async throws -> Void = { _ in try await Task.sleep(for: .milliseconds(20)) }
    var deadline = Duration.seconds(60)

    var steps: [FlowStep] {
        ["first", "second", "third"].map { name in
            FlowStep(name, deadline: deadline) { [watchman, middle] run in
                try await watchman.pass(run, name) { if name == "second" { try await middle(run) } }
            }
        }
    }

    func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        try transaction.instances.setTask(run.record.resourceID, to: .none, expecting: [.rebooting], now: now)
    }

    func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        try transaction.instances.setTask(run.record.resourceID, to: .none, expecting: nil, now: now)
    }
}
