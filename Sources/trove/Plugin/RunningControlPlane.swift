// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import PluginHost

/// Tells the control plane that serves a home that something was decided, and waits for what it makes of it.
struct RunningControlPlane {
    private static let patience: Duration = .seconds(90)
    /// A worker that was just starting may have missed the signal.
    private static let repeatAfter: Duration = .seconds(10)

    let home: Home

    /// - Returns: What runs now; nil when no control plane serves the home: the next one finds the decisions.
    /// - Throws: `StartError` when it does not answer, or did not take them.
    func take(_ decisions: PluginState) throws -> PluginStatus? {
        var last: PluginStatus?
        let limit = ContinuousClock.now + Self.patience
        for holder in HomeHolders.all(home) { last = try take(decisions, holder, limit) ?? last }
        return last
    }

    private func take(
        _ decisions: PluginState, _ holder: LockHolder, _ limit: ContinuousClock.Instant
    ) throws -> PluginStatus? {
        guard try tell(holder) else { return nil }
        var again = ContinuousClock.now + Self.repeatAfter
        while ContinuousClock.now < limit {
            if let status = PluginStatus.read(home, holder), status.generation >= decisions.generation {
                if let error = status.error { throw StartError("the control plane did not take it: \(error)") }
                return status
            }
            if ContinuousClock.now >= again {
                guard try tell(holder) else { return nil }
                again = ContinuousClock.now + Self.repeatAfter
            }
            usleep(20_000)
        }
        throw StartError("the control plane (process \(holder.pid)) does not answer; see its log")
    }

    /// - Returns: Whether it is there.
    private func tell(_ holder: LockHolder) throws -> Bool {
        let code = holder.send(SIGHUP)
        guard code != ESRCH else { return false }
        guard code == 0 else {
            throw StartError(
                "the control plane (process \(holder.pid)) cannot be told: \(String(cString: strerror(code))); run this "
                    + "command as its user")
        }
        return true
    }
}

extension PluginStatus {
    /// Why the plugin that `reference` names is not in use; nil when it is.
    func problem(_ reference: PluginReference) -> String? {
        if plugins.contains(where: { $0.id == reference.id && $0.version == reference.version }) { return nil }
        return refusals.last { $0.id == reference.id && $0.cause != .shadowed }.map(\.description)
            ?? "it is not enabled"
    }
}
