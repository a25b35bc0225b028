// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import PluginHost
import Synchronization

/// The control plane's half of the plugins, with a runner that can be replaced: when the operator's files name other
/// plugins, a new runner takes the calls, and the old one ends when it has answered those that it has.
///
/// Every call is sent to one version, and never to one that is quarantined.
final class PluginSwitch: ControlPlugins {
    typealias Make =
        @Sendable (PluginSelection, @Sendable @escaping (PluginReference, String) -> Void)
        -> PluginRunnerClient

    private struct State {
        var client: PluginRunnerClient?
        var selection: PluginSelection
        /// Runners that answer what they have.
        var retiring: [PluginRunnerClient] = []
        var quarantine: [String: PluginState.Quarantine]
        /// Quarantined since the file was read last.
        var unsaved: Set<String> = []
        var faults = PluginFaultCounter()
    }

    /// How long an old runner may take to answer what it has.
    private static let drainLimit: Duration = .seconds(600)

    private let state: Mutex<State>
    private let make: Make
    private let save: @Sendable (String, PluginState.Quarantine) -> Void
    private let logger: Logger
    private let clock: any WallClock

    /// - Parameters:
    ///   - quarantine: What must not be called, by `id@version`.
    ///   - make: Makes the client of a runner; the closure it is given is told of traps.
    ///   - save: Keeps a quarantine beyond this process; may block.
    init(
        selection: PluginSelection, quarantine: [String: PluginState.Quarantine], make: @escaping Make,
        save: @Sendable @escaping (String, PluginState.Quarantine) -> Void, logger: Logger,
        clock: any WallClock = SystemWallClock()
    ) {
        self.make = make
        self.save = save
        self.logger = logger
        self.clock = clock
        state = Mutex(State(selection: selection, quarantine: quarantine))
    }

    /// The runner that serves; made at the first use.
    private var client: PluginRunnerClient {
        if let client = state.withLock(\.client) { return client }
        let fresh = make(state.withLock(\.selection), observer)
        return state.withLock { state in
            if state.client == nil { state.client = fresh }
            return state.client ?? fresh
        }
    }

    private var observer: @Sendable (PluginReference, String) -> Void {
        { [weak self] reference, reason in
            guard let self else { return }
            if let (reference, quarantine) = self.count(reference, .runner, reason) { self.keep(reference, quarantine) }
        }
    }

    func start(deadline: Deadline) async throws(PluginError) { try await client.start(deadline: deadline) }

    func shutdown() async {
        let retiring = state.withLock(\.retiring)
        await client.shutdown()
        for old in retiring { await old.shutdown() }
    }

    // MARK: Versions

    /// Starts a runner with another selection, unless it is what runs and nothing was refused; calls go to it once it
    /// serves. Calls that the old one has are answered by it.
    func apply(_ selection: PluginSelection, deadline: Deadline) async throws(PluginError) {
        let old = client
        if state.withLock({ $0.selection }) == selection, await old.refusals.isEmpty { return }
        let fresh = make(selection, observer)
        do {
            try await fresh.start(deadline: deadline)
        } catch {
            await fresh.shutdown()
            throw error
        }
        state.withLock { state in
            state.client = fresh
            state.selection = selection
            state.retiring.append(old)
        }
        Task {
            let limit = ContinuousClock.now + Self.drainLimit
            repeat {
                try? await Task.sleep(for: .seconds(1))
            } while old.inFlight(nil) > 0 && ContinuousClock.now < limit
            await old.shutdown()
            state.withLock { state in state.retiring.removeAll { $0 === old } }
        }
    }

    /// References `id@version` of what is mapped now.
    var mapped: Set<String> { Set(client.known.map(\.reference)) }

    var plugins: [PluginDescription] {
        get async {
            let quarantine = state.withLock(\.quarantine)
            return await client.plugins.map { description in
                var description = description
                description.quarantine = quarantine[description.reference]?.reason
                return description
            }
        }
    }

    var routes: [PluginRoute] { get async { await client.routes } }

    var refusals: [PluginRefusal] { get async { await client.refusals } }

    var statistics: [PluginStatistics] { get async { await client.statistics } }

    // MARK: Calls

    func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        let (client, plugin) = try target(PluginReference(reference))
        return try await client.policy(plugin.description, function, request, options)
    }

    func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue {
        let (client, plugin) = try target(route.plugin)
        var route = route
        route.version = plugin.version ?? ""
        return try await client.handle(route, request, options, control: control)
    }

    func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions,
        control: any ControlHandler
    ) async throws(PluginError) -> ActionResult {
        let (client, plugin) = try target(PluginReference(reference))
        return try await client.action(plugin.description, name, arguments, options, control: control)
    }

    func peer(
        _ reference: String, _ message: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        let (client, plugin) = try target(PluginReference(reference))
        return try await client.peer(plugin.description, message, options)
    }

    /// The runner that maps a plugin, and its exact version.
    ///
    /// A version that the newest runner does not have may be with one that is retiring: who asked for it chose it before.
    func target(_ reference: PluginReference) throws(PluginError) -> (PluginRunnerClient, PluginReference) {
        let current = client
        let (retiring, quarantine) = state.withLock { ($0.retiring, $0.quarantine) }
        var exact = reference
        if reference.version == nil, let active = current.known.first(where: { $0.id == reference.id && $0.isActive }) {
            exact = PluginReference(active.reference)
        }
        if let held = quarantine[exact.description] {
            throw PluginError(
                .unavailable, pluginID: exact.id,
                "version \(exact.version ?? "") is quarantined: \(held.reason); 'trove plugin lift \(exact.id)' ends it"
            )
        }
        let holds: (PluginRunnerClient) -> Bool = { $0.known.contains { $0.reference == exact.description } }
        if !holds(current), let old = retiring.last(where: holds) { return (old, exact) }
        return (current, exact)
    }

    // MARK: Faults

    /// Counts a trap in a guest's agent.
    func guestTrapped(_ plugin: String, instanceID: String, signal: Int) async {
        guard
            let (reference, quarantine) = count(
                PluginReference(plugin), .guest(instanceID: instanceID), "signal \(signal)")
        else { return }
        await BlockingCall.run { self.keep(reference, quarantine) }
    }

    /// Takes over what the operator's file says; a version that is not in it any more is called again.
    func setQuarantine(_ fresh: [String: PluginState.Quarantine]) {
        state.withLock { state in
            let lifted = Set(state.quarantine.keys).subtracting(fresh.keys).subtracting(state.unsaved)
            for reference in lifted { state.faults.forget(reference) }
            let unsaved = state.quarantine.filter { state.unsaved.contains($0.key) }
            state.quarantine = fresh.merging(unsaved) { $1 }
        }
    }

    func condition(_ plugin: PluginReference) async -> PluginCondition {
        let (crash, since, clients) = state.withLock { state in
            (
                state.faults.crashes[plugin.description], state.quarantine[plugin.description]?.since,
                state.retiring + (state.client.map { [$0] } ?? [])
            )
        }
        return PluginCondition(
            inFlight: clients.reduce(0) { $0 + $1.inFlight(plugin) }, crash: crash, quarantinedSince: since)
    }

    private func keep(_ reference: String, _ quarantine: PluginState.Quarantine) {
        save(reference, quarantine)
        state.withLock { _ = $0.unsaved.remove(reference) }
    }

    /// - Returns: What must be kept, when this trap was one too many.
    private func count(
        _ plugin: PluginReference, _ place: PluginFaultCounter.Place, _ reason: String
    ) -> (String, PluginState.Quarantine)? {
        let known = state.withLock { $0.client }?.known ?? []
        let version = plugin.version ?? known.first { $0.id == plugin.id && $0.isActive }?.version
        guard let version else { return nil }
        let reference = "\(plugin.id)@\(version)"
        let now = clock.now
        let added = state.withLock { state -> PluginState.Quarantine? in
            guard let reason = state.faults.add(reference, place, reason: reason, now: now),
                state.quarantine[reference] == nil
            else { return nil }
            let quarantine = PluginState.Quarantine(reason: reason, since: now)
            state.quarantine[reference] = quarantine
            state.unsaved.insert(reference)
            return quarantine
        }
        guard let added else { return nil }
        logger.error(
            "plugin is quarantined",
            metadata: [
                "plugin.id": "\(plugin.id)", "plugin.version": "\(version)", "error.message": "\(added.reason)",
            ])
        return (reference, added)
    }
}
