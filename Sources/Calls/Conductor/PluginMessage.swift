// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// What a plugin in a guest tells the same plugin in the control plane.
///
/// Shape: `{"instance_id", "plugin": id, "method", "payload": any value}`.
package struct PluginMessage: Sendable, Hashable {
    package var instanceID: String
    package var pluginID: String
    package var method: String
    package var payload: JSONValue

    package init(instanceID: String, pluginID: String, method: String, payload: JSONValue) {
        self.instanceID = instanceID
        self.pluginID = pluginID
        self.method = method
        self.payload = payload
    }

    package var arguments: [String: JSONValue] {
        [
            "instance_id": .string(instanceID), "plugin": .string(pluginID), "method": .string(method),
            "payload": payload,
        ]
    }

    /// - Throws: `builtins.TypeError` for a wrong type.
    package init(arguments: [String: JSONValue], method name: String) throws(RPCFault) {
        self.init(
            instanceID: try arguments.text("instance_id", method: name),
            pluginID: try arguments.text("plugin", method: name), method: try arguments.text("method", method: name),
            payload: arguments["payload"] ?? .null)
    }
}

/// What answers plugins' messages in the control plane.
package protocol PluginMessageEndpoint: Sendable {
    /// - Throws: `RPCFault` to choose the failure's class.
    func handle(_ message: PluginMessage, context: RequestContext) async throws -> JSONValue
}

extension ConductorClient {
    /// Hands a message to the same plugin in the control plane and waits for its answer.
    ///
    /// - Throws: As `RPCClient.call`; `PeerFault` tells the plugin's own failures.
    package func callPlugin(
        _ message: PluginMessage, context: RequestContext, timeout: Duration
    ) async throws(MessagingError) -> JSONValue {
        try await client.call(
            ConductorVerb.topic, ConductorVerb.pluginCall.rawValue, message.arguments, context: context,
            timeout: min(timeout, ConductorVerb.pluginTimeout), version: "1.0")
    }

    /// The same without an answer; returns once the bus has the message.
    package func castPlugin(_ message: PluginMessage, context: RequestContext) async throws(MessagingError) {
        try await client.cast(
            ConductorVerb.topic, ConductorVerb.pluginCast.rawValue, message.arguments, context: context,
            version: "1.0")
    }

    /// Leaves a note for operators on a running backup.
    package func noteBackup(
        _ instanceID: String, backupID: String, message: String, sent: Timestamp, context: RequestContext? = nil
    ) async throws(MessagingError) {
        let report = BackupReport(
            instanceID: instanceID, backupID: backupID, state: nil, message: message, sent: sent)
        try await client.cast(
            ConductorVerb.topic, ConductorVerb.updateBackup.rawValue, report.arguments, context: context ?? fresh(),
            version: "1.0")
    }
}
