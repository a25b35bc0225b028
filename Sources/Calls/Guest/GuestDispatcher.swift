// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// What performs a guest's verbs.
package protocol GuestEndpoint: Sendable {
    /// Performs `verb`; its arguments are complete and have no strangers among them.
    ///
    /// - Throws: `RPCFault` to choose the failure's class.
    func perform(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], context: RequestContext
    ) async throws -> JSONValue
}

/// Turns requests on a guest's topic into verbs.
package struct GuestDispatcher: RPCEndpoint {
    private let endpoint: any GuestEndpoint

    package init(_ endpoint: any GuestEndpoint) { self.endpoint = endpoint }

    package var implementedVersion: String { "1.3" }

    package func handle(_ request: RPCRequest) async throws -> JSONValue {
        guard let verb = GuestVerb(rawValue: request.method) else { throw RPCFault.noSuchMethod(request.method) }
        try verb.arguments.check(request.arguments, method: request.method)
        return try await endpoint.perform(verb, request.arguments, context: request.context)
    }
}
