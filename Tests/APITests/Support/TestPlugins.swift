// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import Synchronization

/// Plugins as a test wants them: their own room has tests of the real ones.
final class TestPlugins: ControlPlugins {
    typealias PolicyAnswer = @Sendable (PolicyFunction, JSONValue) throws(PluginError) -> JSONValue
    typealias RouteAnswer =
        @Sendable (PluginRoute, JSONValue, any ControlHandler, RequestContext) async throws(PluginError) -> JSONValue

    typealias ActionAnswer =
        @Sendable (String, String, JSONValue, any ControlHandler) async throws(PluginError) -> ActionResult

    private struct State {
        var plugins: [PluginDescription]
        var routes: [PluginRoute] = []
        var policy: PolicyAnswer
        var route: RouteAnswer
        var action: ActionAnswer = { _, _, arguments, _ throws(PluginError) in ActionResult(value: arguments) }
    }

    static let engine = "org.example.engine"
    static let extensionID = "org.example.routes"

    private let state = Mutex(
        State(
            plugins: [
                PluginDescription(
                    id: engine, version: "2.1.0", sha256: "00", roles: ["control", "guest"],
                    provides: ["trove.datastore-policy/1", "trove.tls/1"], directory: "/"
                ),
                PluginDescription(
                    id: extensionID, version: "1.0.0", sha256: "00", roles: ["control"],
                    provides: ["trove.api-extension/1"], directory: "/"
                ),
            ],
            policy: { function, _ throws(PluginError) in
                guard function == .requirements else { return [:] }
                return ["ports": [1], "volume": ["required": true, "minimum_gib": 1], "memory_mb_minimum": 256]
            },
            route: { _, request, _, _ throws(PluginError) in ["status": 200, "body": request] }
        )
    )

    var plugins: [PluginDescription] { state.withLock(\.plugins) }
    var routes: [PluginRoute] { state.withLock(\.routes) }

    func setRoutes(_ routes: [(method: String, path: String)]) {
        state.withLock { state in
            state.routes = routes.enumerated().map { index, route in
                PluginRoute(
                    pluginID: Self.extensionID, index: index, method: route.method, path: route.path,
                    policy: "instance:extension:thing"
                )
            }
        }
    }

    func onPolicy(_ answer: @escaping PolicyAnswer) { state.withLock { $0.policy = answer } }
    func onAction(_ answer: @escaping ActionAnswer) { state.withLock { $0.action = answer } }
    func setPlugins(_ change: (inout [PluginDescription]) -> Void) { state.withLock { change(&$0.plugins) } }
    func mount(_ routes: [PluginRoute]) { state.withLock { $0.routes = routes } }
    func onRoute(_ answer: @escaping RouteAnswer) { state.withLock { $0.route = answer } }

    func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        try state.withLock(\.policy)(function, request)
    }

    func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue {
        try await state.withLock(\.route)(route, request, control, options.context)
    }

    func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions,
        control: any ControlHandler
    ) async throws(PluginError) -> ActionResult {
        try await state.withLock(\.action)(reference, name, arguments, control)
    }
}
