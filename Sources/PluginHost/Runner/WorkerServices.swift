// SPDX-License-Identifier: Apache-2.0

package import Model

/// What the worker does for the services of plugins that run beside it.
package protocol WorkerServices: Sendable {
    /// nil without one. Keys and values have been checked.
    func value(_ key: String, of pluginID: String) async throws(PluginError) -> StoredValue?
    /// - Returns: The new revision.
    /// - Throws: As `KeyValueStore.put`.
    func putValue(
        _ key: String, _ value: [UInt8], expected: ExpectedRevision, of pluginID: String
    ) async throws(PluginError) -> Int
    func removeValue(_ key: String, expected: ExpectedRevision, of pluginID: String) async throws(PluginError)
    func listValues(_ range: NameRange, of pluginID: String) async throws(PluginError) -> KeyPage
    /// Reaches a plugin's guest half.
    ///
    /// - Parameters:
    ///   - waits: Whether the answer is wanted; else `null` once the message is on its way.
    ///   - context: Whose request is being served; without a project outside of requests.
    func message(
        _ message: PeerMessage, to pluginID: String, waits: Bool, context: RequestContext
    ) async throws(PluginError) -> JSONValue
}

extension WorkerServices {
    /// Runs one frame's operation.
    func perform(
        _ operation: String, _ request: JSONValue, of pluginID: String, context: RequestContext
    ) async throws(PluginError) -> JSONValue {
        guard let operation = ServiceOperation(rawValue: operation) else {
            throw PluginError(.unsupported, "the worker has no service '\(operation)'")
        }
        let key = request["key"]?.stringValue ?? ""
        let expected = ExpectedRevision(json: request["expected"])
        switch operation {
        case .getValue: return try await value(key, of: pluginID)?.json ?? .null
        case .putValue:
            guard let value = request["value"]?.stringValue.flatMap(Base64.decode) else {
                throw PluginError(.invalidArgument, "the value is not Base64")
            }
            let revision = try await putValue(key, value, expected: expected, of: pluginID)
            return ["revision": .int(Int64(revision))]
        case .removeValue:
            try await removeValue(key, expected: expected, of: pluginID)
            return .null
        case .listValues: return try await listValues(NameRange(json: request), of: pluginID).json
        case .callPeer, .castPeer:
            return try await message(
                PeerMessage(json: request), to: pluginID, waits: operation == .callPeer, context: context)
        }
    }
}

extension StoredValue {
    var json: JSONValue { ["value": .string(Base64.encode(value)), "revision": .int(Int64(revision))] }

    init?(json: JSONValue) {
        guard let value = json["value"]?.stringValue.flatMap(Base64.decode), let revision = json["revision"]?.intValue
        else { return nil }
        self.init(value: value, revision: revision)
    }
}

extension ExpectedRevision {
    /// null: any; 0: absent.
    var json: JSONValue {
        switch self {
        case .any: .null
        case .absent: 0
        case .exactly(let revision): .int(Int64(revision))
        }
    }

    init(json: JSONValue?) {
        switch json?.intValue {
        case nil: self = .any
        case 0: self = .absent
        case let revision?: self = .exactly(revision)
        }
    }
}

extension NameRange {
    var json: JSONValue {
        ["prefix": .string(prefix), "after": .optional(after), "limit": .int(Int64(limit))]
    }

    init(json: JSONValue) {
        self.init(
            prefix: json["prefix"]?.stringValue ?? "", after: json["after"]?.stringValue,
            limit: (json["limit"]?.intValue ?? 1000).clamped(to: 1...1000))
    }
}

extension PeerMessage {
    var json: JSONValue {
        ["instance_id": .optional(instanceID), "method": .string(method), "payload": payload]
    }

    init(json: JSONValue) {
        self.init(
            instanceID: json["instance_id"]?.stringValue, method: json["method"]?.stringValue ?? "",
            payload: json["payload"] ?? .null)
    }

    /// The document that the other side's `trove.rpc-peer/1` gets.
    ///
    /// - Parameter sender: The role that sends.
    package func document(from sender: PluginRole, instanceID: String) -> JSONValue {
        [
            "from": .string(sender.rawValue), "instance_id": .string(instanceID), "method": .string(method),
            "payload": payload,
        ]
    }
}
