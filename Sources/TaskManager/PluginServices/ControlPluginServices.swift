// SPDX-License-Identifier: Apache-2.0

package import Calls
package import Logging
import Messaging
package import Model
package import PluginHost
package import StateStore

/// The worker's part of the host services: values in the state store, messages to guests over the bus.
package struct ControlPluginServices: WorkerServices {
    package static let keyLimit = 10_000

    private let store: any StateStore
    private let guests: GuestClient
    private let logger: Logger

    package init(store: any StateStore, guests: GuestClient, logger: Logger) {
        self.store = store
        self.guests = guests
        self.logger = logger
    }

    package func value(_ key: String, of pluginID: String) async throws(PluginError) -> StoredValue? {
        let record = try await stored { store async throws in
            try await store.read { try $0.pluginValues.find(pluginID: pluginID, key: key) }
        }
        guard let record else { return nil }
        guard let value = Base64.decode(record.value) else {
            throw PluginError(.internal, "the value '\(key)' in the state store is not Base64")
        }
        return StoredValue(value: value, revision: record.revision)
    }

    package func putValue(
        _ key: String, _ value: [UInt8], expected: ExpectedRevision, of pluginID: String
    ) async throws(PluginError) -> Int {
        let text = Base64.encode(value)
        return try await stored { store async throws in
            try await store.write(.durable) { transaction in
                let found = try transaction.pluginValues.find(pluginID: pluginID, key: key)
                try Self.check(key, expected, found?.revision)
                if found == nil, try transaction.pluginValues.count(pluginID: pluginID) >= Self.keyLimit {
                    throw PluginError(.exhausted, "the plugin has \(Self.keyLimit) values already")
                }
                return try transaction.pluginValues.put(pluginID: pluginID, key: key, value: text)
            }
        }
    }

    package func removeValue(
        _ key: String, expected: ExpectedRevision, of pluginID: String
    ) async throws(PluginError) {
        try await stored { store async throws in
            try await store.write(.durable) { transaction in
                let found = try transaction.pluginValues.find(pluginID: pluginID, key: key)
                try Self.check(key, expected, found?.revision)
                try transaction.pluginValues.remove(pluginID: pluginID, key: key)
            }
        }
    }

    package func listValues(_ range: NameRange, of pluginID: String) async throws(PluginError) -> KeyPage {
        let items = try await stored { store async throws in
            try await store.read { transaction in
                try transaction.pluginValues.list(
                    pluginID: pluginID, prefix: range.prefix, after: range.after, limit: range.limit + 1
                ).map { KeyPage.Item(key: $0.key, revision: $0.revision) }
            }
        }
        let page = Array(items.prefix(range.limit))
        return KeyPage(items: page, next: items.count > range.limit ? page.last?.key : nil)
    }

    package func message(
        _ message: PeerMessage, to pluginID: String, waits: Bool, context: RequestContext
    ) async throws(PluginError) -> JSONValue {
        guard let id = message.instanceID else {
            throw PluginError(.invalidArgument, "instance_id is missing: it names the guest")
        }
        let instance = try await stored { store async throws in try await store.read { try $0.instances.find(id) } }
        // Outside of requests a plugin speaks for itself; within one, what the caller may not see does not exist.
        let isFree = context.isAdmin || context.projectID.isEmpty
        guard let instance, isFree || instance.projectID == context.projectID else {
            throw PluginError(.notFound, "there is no instance \(id)")
        }
        let arguments: [String: JSONValue] = [
            "plugin": .string(pluginID), "method": .string(message.method), "payload": message.payload,
        ]
        do throws(MessagingError) {
            return try await guests.call(id, waits ? .pluginCall : .pluginCast, arguments, context: context)
        } catch {
            throw PluginError(peer: error)
        }
    }

    private static func check(_ key: String, _ expected: ExpectedRevision, _ found: Int?) throws(PluginError) {
        if expected.allows(found) { return }
        throw PluginError(
            .preconditionFailed, "the value '\(key)' \(found.map { "has revision \($0)" } ?? "is not there")")
    }

    private func stored<Value: Sendable>(
        _ body: (any StateStore) async throws -> Value
    ) async throws(PluginError) -> Value {
        do {
            return try await body(store)
        } catch let error as PluginError {
            throw error
        } catch {
            let isRetryable = (error as? StateStoreError)?.isRetryable ?? false
            logger.error("a plugin's values cannot be reached", metadata: ["error": "\(error)"])
            throw PluginError(isRetryable ? .unavailable : .internal, "the state store failed")
        }
    }
}
