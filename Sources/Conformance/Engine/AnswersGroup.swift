// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// Asks a policy what the engine of a later check needs.
struct AnswersGroup {
    let context: GroupContext
    let table: UnsafeRawPointer

    var scenarios: [Scenario] { [Scenario(check: "policy.answers", target: "the policy") { try self.ask() }] }

    private func ask() throws {
        let table = table.load(as: trove_datastore_policy_1.self)
        let version = context.order.datastore.version
        var answers: [String: JSONValue] = [:]
        func ask(
            _ name: String, _ function: (@convention(c) (OpaquePointer?, trove_str) -> trove_status)?,
            _ request: JSONValue
        ) throws {
            guard let function else { return }
            let outcome = try context.caller.call("policy.\(name)", Array(request.serialized)) { function($0, $1) }
            if let document = outcome.document { answers[name] = document }
        }
        try ask("requirements", table.requirements, ["version": .string(version)])
        try ask("configuration", table.render_configuration, PolicySamples.configuration(version))
        try ask("parameters", table.parameters, ["version": .string(version)])
        ChildReporter.shared.send(["answers": .object(answers)])
    }
}
