// SPDX-License-Identifier: Apache-2.0

package import Model

/// Counts traps of plugins and says when one is too many. No clock, no I/O.
package struct PluginFaultCounter: Sendable {
    /// Where a plugin trapped.
    package enum Place: Sendable, Hashable {
        case runner
        case guest(instanceID: String)
    }

    /// The last trap of a plugin version.
    package struct Crash: Sendable, Hashable {
        package var place: Place
        /// How the process ended, e.g. `signal 11`.
        package var reason: String
        package var time: Timestamp
        /// Since this process began to count.
        package var count: Int
    }

    /// Traps within the window after which a version is not called any more.
    package static let limit = 3
    package static let window: Duration = .seconds(600)

    private var runner: [String: [Timestamp]] = [:]
    private var guests: [String: [Timestamp]] = [:]
    /// By `id@version`.
    package private(set) var crashes: [String: Crash] = [:]

    package init() {}

    /// Counts a trap.
    ///
    /// - Parameter reference: `id@version`.
    /// - Returns: Why the version must not be called any more; nil when it may.
    package mutating func add(
        _ reference: String, _ place: Place, reason: String, now: Timestamp
    ) -> String? {
        crashes[reference] = Crash(
            place: place, reason: reason, time: now, count: (crashes[reference]?.count ?? 0) + 1)
        let minutes = Int(Self.window.inSeconds / 60)
        if place == .runner {
            let recent = (runner[reference] ?? []).filter { $0 + Self.window > now } + [now]
            runner[reference] = recent
            guard recent.count >= Self.limit else { return nil }
            return
                "it trapped \(recent.count) times within \(minutes) minutes in the plugin runner, last with \(reason)"
        }
        let recent = (guests[reference] ?? []).filter { $0 + Self.window > now } + [now]
        guests[reference] = recent
        guard recent.count >= Self.limit else { return nil }
        return "it trapped \(recent.count) times within \(minutes) minutes in guest agents, last with \(reason)"
    }

    /// Begins anew for a version that an operator lets be called again.
    package mutating func forget(_ reference: String) {
        runner[reference] = nil
        guests[reference] = nil
    }
}
