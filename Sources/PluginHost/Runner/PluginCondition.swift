// SPDX-License-Identifier: Apache-2.0

package import Model

/// How one version of a plugin fares in the control plane.
package struct PluginCondition: Sendable, Hashable {
    /// Calls that wait for an answer.
    package var inFlight: Int
    /// The last trap, here or in a guest, since the control plane began to count.
    package var crash: PluginFaultCounter.Crash?
    package var quarantinedSince: Timestamp?

    package init(
        inFlight: Int = 0, crash: PluginFaultCounter.Crash? = nil, quarantinedSince: Timestamp? = nil
    ) {
        self.inFlight = inFlight
        self.crash = crash
        self.quarantinedSince = quarantinedSince
    }
}
