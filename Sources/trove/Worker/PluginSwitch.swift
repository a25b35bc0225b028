// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import Synchronization

/// The control plane's half of the plugins, with a runner that can be replaced: when the operator's files name other
/// plugins, a new runner takes the calls, and the old one ends when it has answered those that it has.
final class PluginSwitch: ControlPlugins {
    private struct State {
        var client: PluginRunnerClient
        var enabled: Set<String>
    }

    private let state: Mutex<State>
    private let make: @Sendable (Set<String>) -> PluginRunnerClient

    init(enabled: Set<String>, make: @Sendable @escaping (Set<String>) -> PluginRunnerClient) {
        self.make = make
        state = Mutex(State(client: make(enabled), enabled: enabled))
    }

    private var client: PluginRunnerClient { state.withLock { $0.client } }

    func start(deadline: Deadline) async throws(PluginError) { try await client.start(deadline: deadline) }

    func shutdown() async { await client.shutdown() }

    /// Starts a runner with `enabled` unless it is what runs; calls go to it once it serves.
    func enable(_ enabled: Set<String>, deadline: Deadline) async throws(PluginError) {
        guard state.withLock({ $0.enabled }) != enabled else { return }
        let fresh = make(enabled)
        try await fresh.start(deadline: deadline)
        let old = state.withLock { state -> PluginRunnerClient in
            defer { state = State(client: fresh, enabled: enabled) }
            return state.client
        }
        Task {
            // What is being asked of the old one is answered first; nothing new comes to it.
            try? await Task.sleep(for: .seconds(30))
            await old.shutdown()
        }
    }

    var plugins: [PluginDescription] { get async { await client.plugins } }
    var routes: [PluginRoute] { get async { await client.routes } }

    func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        try await client.policy(reference, function, request, options)
    }

    func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue {
        try await client.handle(route, request, options, control: control)
    }
}
