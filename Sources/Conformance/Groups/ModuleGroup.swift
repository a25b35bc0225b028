// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// A module driver.
final class ModuleGroup {
    private let context: GroupContext
    private let targets: [Target]
    private let type: String

    init(_ context: GroupContext, _ table: UnsafeRawPointer) {
        self.context = context
        let table = table.load(as: trove_module_driver_1.self)
        type = table.type.map { String(cString: $0) } ?? ""
        let sample: JSONValue = [
            "id": "00000000-0000-4000-8000-000000000003", "name": "check", "type": .string(type),
            "contents": "Y2hlY2s=",
            "md5": "5b4ed1bb1b5e1e5d7a1b1f2a9fd2bb0b",
            "datastore": [
                "name": .string(context.order.datastore.name), "version": .string(context.order.datastore.version),
            ],
        ]
        let needs = ["id", "type", "contents"]
        let message: Reply = .inline([
            "type": "object", "properties": ["message": ["type": "string"]], "required": ["message"],
        ])
        targets =
            (table.validate.map { f in [Target("module.validate", sample, needs: needs) { f($0, $1) }] } ?? [])
            + (table.apply.map { f in [Target("module.apply", sample, needs: needs, reply: message) { f($0, $1) }] }
                ?? [])
            + (table.remove.map { f in [Target("module.remove", sample, needs: ["id"]) { f($0, $1) }] } ?? [])
    }

    var scenarios: [Scenario] {
        let caller = context.caller
        let sandbox = context.sandbox
        var list = [Scenario(check: "module.type", target: "the table") { self.checkType() }]
        list += targets.filter { $0.name != "module.validate" }.map { target in
            Scenario(check: "module.idempotent", target: target.name) { try self.repeated(target) }
        }
        list += InputChecks(caller: caller, strays: { sandbox.strays }).scenarios(targets)
        list += CallChecks(caller: caller).scenarios(targets)
        list.append(LeakChecks(caller: caller, repeats: context.order.repeats).scenario(targets, prefix: "module"))
        return list
    }

    private func checkType() {
        let isWord =
            !type.isEmpty && type.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 || (48...57).contains($0) }
        if !isWord { ChildReporter.shared.fail("module.type", "The module type '\(type)' is not a lower-case word.") }
    }

    private func repeated(_ target: Target) throws {
        guard try target.call(context.caller, target.sample).isOK else { return }
        let again = try target.call(context.caller, target.sample)
        if !again.isOK {
            ChildReporter.shared.fail(
                "module.idempotent", "\(target.name) succeeded and then failed with the same request (\(again.text)).")
        }
    }
}
