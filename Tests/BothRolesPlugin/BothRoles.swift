// SPDX-License-Identifier: Apache-2.0

public import CTrovePlugin
import TrovePluginKit

/// One plugin in both roles: beside an engine, and in the control plane. What it does is for tests alone.
enum BothRoles: Plugin {
    static let id = "org.example.both-swift"
    static let version = "1.0.0"
    static var extensions: [PluginExtension] {
        [.actions(GuestActions.all + ControlActions.all), .api([PeerRoute.route]), .rpcPeer(Peer.answer)]
    }

    // Written once in start, before anything else.
    nonisolated(unsafe) private static var answered: Metric?

    static func start() {
        answered = Host.metrics.counter("both_swift_answered", "Messages that were answered.", labels: ["method"])
    }

    static func count(_ method: String) { answered?.record(1, [method]) }
}

/// The one exported symbol.
@c @implementation
public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    export(BothRoles.self, major, minor)
}
