// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// The methods of the task manager; all are casts of version 1.0, to every task manager. The raw value is the name on the
/// bus.
package enum TaskManagerVerb: String, Sendable, CaseIterable {
    /// The journal has work: `{}`.
    case wake
    /// A guest reported something that a flow may wait for: `{"instance_id"}`.
    case instanceChanged = "instance_changed"

    /// Where task managers listen.
    package static let topic = "taskmanager"

    package var arguments: ArgumentRules {
        switch self {
        case .wake: ArgumentRules()
        case .instanceChanged: ArgumentRules(required: ["instance_id"])
        }
    }
}

/// Wakes task managers.
///
/// All of them hear it: who can do the work, or waits for that instance, is known to them alone. A wake-up is never the only
/// copy of anything (the journal and the state store are), so a bus that cannot take it is no
/// error: the task manager finds the work by itself, later.
package struct TaskManagerClient: Sendable {
    private let client: any RPCClient
    private let random: any RandomSource

    package init(_ client: any RPCClient, random: any RandomSource = SystemRandomSource()) {
        self.client = client
        self.random = random
    }

    /// Says that the journal has work.
    package func wake(context: RequestContext) async {
        await cast(.wake, [:], context)
    }

    /// Says that a guest reported.
    package func changed(instanceID: String, context: RequestContext? = nil) async {
        await cast(
            .instanceChanged, ["instance_id": .string(instanceID)],
            context ?? RequestContext(requestID: random.requestID()))
    }

    private func cast(_ verb: TaskManagerVerb, _ arguments: [String: JSONValue], _ context: RequestContext) async {
        let (topic, method) = (TaskManagerVerb.topic, verb.rawValue)
        guard let bus = client as? any MessageBus else {
            // Without a bus there is one peer.
            try? await client.cast(topic, method, arguments, context: context, version: "1.0")
            return
        }
        try? await bus.castToAll(topic, method, arguments, context: context, version: "1.0")
    }
}
