// SPDX-License-Identifier: Apache-2.0

package import Model

/// One request as an endpoint receives it.
package struct RPCRequest: Sendable {
    package var method: String
    /// The RPC API version that the caller asks for, `major.minor`.
    package var version: String
    /// Keyword arguments; may hold secrets, so only `redactedArguments` belongs in a log.
    package var arguments: [String: JSONValue]
    package var context: RequestContext
    /// Whether the caller waits for the result.
    package var isCall: Bool
    /// When the caller stops waiting, as far as the bus knows it; `nil` for casts.
    package var deadline: Deadline?

    package init(
        method: String, version: String = "1.0", arguments: [String: JSONValue] = [:], context: RequestContext,
        isCall: Bool = true, deadline: Deadline? = nil
    ) {
        self.method = method
        self.version = version
        self.arguments = arguments
        self.context = context
        self.isCall = isCall
        self.deadline = deadline
    }

    /// The arguments with every secret replaced, for debug logs.
    package var redactedArguments: JSONValue { Model.JSONValue.object(arguments).redacted }
}

/// What answers the requests of one topic.
package protocol RPCEndpoint: Sendable {
    /// The RPC API version implemented; requests of another major or a higher minor are refused before `handle`.
    var implementedVersion: String { get }

    /// Performs one request.
    ///
    /// Runs on a task of its own, up to a server's limit at once. What it returns is the result of a call; a cast's is
    /// dropped. An `RPCFault` becomes the reply's failure as it is, any other error `builtins.RuntimeError`.
    func handle(_ request: RPCRequest) async throws -> JSONValue
}

extension RPCEndpoint {
    package var implementedVersion: String { "1.0" }
}
