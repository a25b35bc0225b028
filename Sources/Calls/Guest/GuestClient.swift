// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// Where a guest agent listens.
package enum GuestTopic {
    /// `guestagent.` and the instance id; the server's name is the instance id.
    package static func name(_ instanceID: String) -> String { prefix + instanceID }

    /// Whose topic, or server's queue of a topic, that is; nil for another kind of topic.
    package static func instanceID(_ topic: String) -> String? {
        guard topic.hasPrefix(prefix) else { return nil }
        return topic.dropFirst(prefix.count).split(separator: ".", maxSplits: 1).first.map(String.init)
    }

    private static let prefix = "guestagent."
}

/// Asks guest agents to do things.
package struct GuestClient: Sendable {
    private let client: any RPCClient

    package init(_ client: any RPCClient) { self.client = client }

    /// Whether the bus is there now, as far as its client knows.
    package var isBusConnected: Bool { client.isConnected }

    /// Sends one verb, with the timeout, version and kind that it declares.
    ///
    /// - Returns: The guest's result; null for a cast.
    /// - Throws: As `RPCClient.call` and `RPCClient.cast`; `badMessage` when an argument is missing or unexpected, before
    ///   anything is sent.
    @discardableResult
    package func call(
        _ instanceID: String, _ verb: GuestVerb, _ arguments: [String: JSONValue] = [:], context: RequestContext
    ) async throws(MessagingError) -> JSONValue {
        do throws(RPCFault) {
            try verb.arguments.check(arguments, method: verb.rawValue)
        } catch {
            throw MessagingError(.badMessage, error.message)
        }
        let topic = GuestTopic.name(instanceID)
        switch verb.kind {
        case .cast:
            try await client.cast(topic, verb.rawValue, arguments, context: context, version: verb.version)
            return .null
        case .call:
            return try await client.call(
                topic, verb.rawValue, arguments, context: context, timeout: verb.timeout, version: verb.version
            )
        }
    }
}
