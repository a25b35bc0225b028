// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// The TLS of a datastore without its engine: it works on what the datastore's open made.
final class TLSGroup {
    private let context: GroupContext
    private let opened: OpenedSelf
    private let targets: [Target]

    init(_ context: GroupContext, _ table: UnsafeRawPointer) throws {
        guard
            let datastore = context.image.table(TROVE_EXT_DATASTORE)?.load(as: trove_datastore_1.self),
            let open = datastore.open, let close = datastore.close
        else { throw Unusable() }
        self.context = context
        let table = table.load(as: trove_tls_1.self)
        let opened = OpenedSelf("datastore", context.caller, open: open, close: close)
        self.opened = opened
        let sample: JSONValue = [
            "mode": "mtls", "certificate_file": "/nonexistent/certificate.pem", "key_file": "/nonexistent/key.pem",
            "authority_file": "/nonexistent/authority.pem",
        ]
        let late: Reply = .inline([
            "type": "object", "properties": ["restart_required": ["type": "boolean"]],
            "required": ["restart_required"],
        ])
        let needs = ["mode", "certificate_file", "key_file", "authority_file"]
        targets =
            (table.apply.map { f in
                [Target("tls.apply", sample, needs: needs, reply: late) { f(opened.value, $0, $1) }]
            } ?? [])
            + (table.show.map { f in
                [Target("tls.show", [:], reply: .schema("tls-status")) { f(opened.value, $0, $1) }]
            } ?? [])
        try opened.begin(context.sandbox.config)
    }

    var scenarios: [Scenario] {
        guard opened.isOpen else { return [] }
        let (caller, sandbox) = (context.caller, context.sandbox)
        return InputChecks(caller: caller, strays: { sandbox.strays }).scenarios(targets)
            + CallChecks(caller: caller).scenarios(targets)
            + [
                LeakChecks(caller: caller, repeats: context.order.repeats).scenario(targets, prefix: "tls"),
                Scenario(check: "datastore.close", target: "datastore.close") { try self.opened.end() },
            ]
    }
}
