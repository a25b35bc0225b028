// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// What a plugin answers to itself in the other role.
final class PeerGroup {
    private let context: GroupContext
    private let targets: [Target]

    init(_ context: GroupContext, _ table: UnsafeRawPointer) {
        self.context = context
        let sample: JSONValue = [
            "from": "control", "instance_id": "00000000-0000-4000-8000-000000000001", "method": "check",
            "payload": ["a": 1],
        ]
        targets =
            table.load(as: trove_rpc_peer_1.self).handle.map { handle in
                [Target("peer.handle", sample, needs: ["method"], reply: .any) { handle($0, $1) }]
            } ?? []
    }

    var scenarios: [Scenario] {
        let caller = context.caller
        let sandbox = context.sandbox
        return InputChecks(caller: caller, strays: { sandbox.strays }).scenarios(targets)
            + CallChecks(caller: caller).scenarios(targets)
            + [LeakChecks(caller: caller, repeats: context.order.repeats).scenario(targets, prefix: "peer")]
    }
}
