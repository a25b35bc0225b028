// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// Requests to a policy that are right for the plugin's own datastores, and what it answers.
struct PolicySamples {
    private let context: GroupContext

    init(_ context: GroupContext) { self.context = context }

    static func configuration(_ version: String) -> JSONValue {
        [
            "version": .string(version), "memory_mb": 1024, "vcpus": 2, "volume_gib": 2,
            "instance_id": "00000000-0000-4000-8000-000000000001", "overrides": [:],
        ]
    }

    static func create(_ version: String) -> JSONValue {
        [
            "version": .string(version), "memory_mb": 1024, "vcpus": 2, "volume_gib": 5, "databases": [], "users": [],
            "configuration": [:],
        ]
    }

    /// The configuration that the plugin's own policy makes; nil without one.
    var configurationText: String? {
        guard let raw = context.image.table(TROVE_EXT_DATASTORE_POLICY),
            let render = raw.load(as: trove_datastore_policy_1.self).render_configuration
        else { return nil }
        let request = Array(Self.configuration(context.order.datastore.version).serialized)
        let outcome = try? context.caller.call(
            "policy.render_configuration", request, plan: CallPlan(reply: .schema("configuration")), { render($0, $1) })
        return outcome?.document?["config_contents"]?.stringValue
    }
}
