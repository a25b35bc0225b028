// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import PluginHost
import Synchronization

/// The routes that plugins add, as they are now. They come and go with the plugin runner.
final class PluginRouteTable: Sendable {
    private struct State {
        var routes: [PluginRoute]?
        var accepted: [Route<PluginRoute>] = []
        var table = RouteTable<PluginRoute>([])
        var refusals: [String] = []
    }

    private let core: [RoutePattern]
    private let logger: Logger
    private let state = Mutex(State())

    init(core: [RoutePattern], logger: Logger) {
        self.core = core
        self.logger = logger
    }

    /// Those that are mounted.
    var accepted: [Route<PluginRoute>] { state.withLock(\.accepted) }

    /// Routes that are not mounted, one sentence each that names both sides of the clash.
    var refusals: [String] { state.withLock(\.refusals) }

    /// Takes over `routes`; nothing happens when they are the ones already mounted.
    func update(_ routes: [PluginRoute]) {
        guard state.withLock({ $0.routes != routes }) else { return }
        let (accepted, refusals) = Self.sort(routes, core: core)
        let table = RouteTable(accepted)
        let isNew = state.withLock { state in
            guard state.routes != routes else { return false }
            state = State(routes: routes, accepted: accepted, table: table, refusals: refusals)
            return true
        }
        guard isNew else { return }
        for refusal in refusals {
            logger.error("route of a plugin refused", metadata: ["error.message": .string(refusal)])
        }
        logger.info("routes of plugins mounted", metadata: ["route.count": .stringConvertible(accepted.count)])
    }

    func match(_ method: String, _ segments: [String]) -> (target: PluginRoute, parameters: [String])? {
        state.withLock { $0.table.match(method, segments) }
    }

    /// A route may not answer what a core route or another plugin answers.
    static func sort(
        _ routes: [PluginRoute], core: [RoutePattern]
    ) -> (accepted: [Route<PluginRoute>], refusals: [String]) {
        var accepted: [Route<PluginRoute>] = []
        var refusals: [String] = []
        for route in routes {
            let pattern = RoutePattern(route.method, route.path)
            // The exact twin is the better one to name.
            if let clash = core.first(where: { $0.isTwin(of: pattern) }) ?? core.first(where: { $0.overlaps(pattern) })
            {
                refusals.append(
                    "Route '\(pattern)' of plugin '\(route.pluginID)' clashes with the core route '\(clash)'."
                )
            } else if let clash = accepted.first(where: { other in
                other.target.pluginID == route.pluginID
                    ? other.pattern.isTwin(of: pattern) : other.pattern.overlaps(pattern)
            }) {
                refusals.append(
                    "Route '\(pattern)' of plugin '\(route.pluginID)' clashes with route '\(clash.pattern)' of plugin"
                        + " '\(clash.target.pluginID)'."
                )
            } else {
                accepted.append(Route(pattern: pattern, target: route))
            }
        }
        return (accepted, refusals)
    }
}

extension RoutePattern {
    /// Whether both match exactly the same requests.
    func isTwin(of other: RoutePattern) -> Bool {
        guard method == other.method, parts.count == other.parts.count else { return false }
        return zip(parts, other.parts).allSatisfy { left, right in
            switch (left, right) {
            case (.literal(let left), .literal(let right)): left == right
            case (.parameter, .parameter): true
            default: false
            }
        }
    }
}
