// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// What is woken.
package protocol TaskManagerEndpoint: Sendable {
    /// The journal has work.
    func wake(context: RequestContext) async
    /// A guest reported something about the instance.
    func instanceChanged(_ instanceID: String, context: RequestContext) async
}

/// Turns requests on the task manager's topic into wake-ups.
package struct TaskManagerDispatcher: RPCEndpoint {
    private let endpoint: any TaskManagerEndpoint

    package init(_ endpoint: any TaskManagerEndpoint) { self.endpoint = endpoint }

    package func handle(_ request: RPCRequest) async throws -> JSONValue {
        guard let verb = TaskManagerVerb(rawValue: request.method) else { throw RPCFault.noSuchMethod(request.method) }
        try verb.arguments.check(request.arguments, method: request.method)
        switch verb {
        case .wake: await endpoint.wake(context: request.context)
        case .instanceChanged:
            let instanceID = try request.arguments.text("instance_id", method: request.method)
            await endpoint.instanceChanged(instanceID, context: request.context)
        }
        return .null
    }
}
