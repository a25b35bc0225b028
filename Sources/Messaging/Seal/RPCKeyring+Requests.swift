// SPDX-License-Identifier: Apache-2.0

import Model

extension RPCKeyring {
    /// The body of a request as it goes over the bus, and the key that its reply is sealed with.
    ///
    /// - Throws: `unavailable` when the key cannot be found now: nothing is sent in clear instead.
    package func seal(
        _ message: RequestMessage, topic: String
    ) async throws(MessagingError) -> (body: [UInt8], key: RPCKey?) {
        guard let key = try await key(topic: topic) else { return (message.body, nil) }
        let label = isLabelled(topic) ? ownLabel : nil
        return (Envelope.close(try RequestSeal.seal(message.members, key: key, label: label)), key)
    }

    /// Reads a request that came on `topic`, and says which key its reply is to be sealed with.
    ///
    /// A plain request where only sealed ones are taken has a `fault`, so that its caller is told.
    ///
    /// - Throws: `badMessage` for what cannot be read: broken, sealed with another key, or speaking for another instance than
    ///   the one whose key it is sealed with; `unavailable` when the key cannot be found now.
    package func open(
        _ body: [UInt8], topic: String, requestID: @autoclosure () -> String
    ) async throws(MessagingError) -> (message: RequestMessage, key: RPCKey?) {
        let members = try Envelope.open(body)
        if isLabelled(topic) {
            return try await openLabelled(members, requestID: requestID())
        }
        guard let key = try await key(topic: topic) else {
            guard !RequestSeal.isSealed(members) else {
                throw MessagingError(.badMessage, "a sealed request came where there is no key")
            }
            return (try RequestMessage(members: members, requestID: requestID()), nil)
        }
        guard RequestSeal.isSealed(members) else {
            return (try Self.refused(members, requestID: requestID()), nil)
        }
        let plain = try RequestSeal.open(members, key: key, label: nil)
        return (try RequestMessage(members: plain, requestID: requestID()), key)
    }

    private func openLabelled(
        _ members: [String: JSONValue], requestID: @autoclosure () -> String
    ) async throws(MessagingError) -> (message: RequestMessage, key: RPCKey?) {
        guard RequestSeal.isSealed(members) else {
            // Whoever speaks for an instance that has a key must know it.
            for id in Self.instances(in: members) where try await key(label: id) != nil {
                return (try Self.refused(members, requestID: requestID()), nil)
            }
            return (try RequestMessage(members: members, requestID: requestID()), nil)
        }
        guard let label = members[RequestSeal.labelKey]?.stringValue, let key = try await key(label: label) else {
            throw MessagingError(.badMessage, "a sealed request has the label of no instance with a key")
        }
        let plain = try RequestSeal.open(members, key: key, label: label)
        guard Self.instances(in: plain).allSatisfy({ $0 == label }) else {
            throw MessagingError(.badMessage, "a sealed request speaks for another instance than its own")
        }
        return (try RequestMessage(members: plain, requestID: requestID()), key)
    }

    /// Whom a guest's report is about.
    private static func instances(in members: [String: JSONValue]) -> [String] {
        guard let arguments = members["args"] else { return [] }
        return [arguments["instance_id"], arguments["serialized_notification"]?["instance_id"]]
            .compactMap { $0?.stringValue }
    }

    private static func refused(
        _ members: [String: JSONValue], requestID: @autoclosure () -> String
    ) throws(MessagingError) -> RequestMessage {
        var message = try RequestMessage(members: members, requestID: requestID())
        message.fault = .valueError("the request is not sealed, and only sealed ones are taken here")
        return message
    }
}
