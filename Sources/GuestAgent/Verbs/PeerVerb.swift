// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost

/// `plugin_rpc` and `plugin_cast`: messages of plugins' control halves to themselves here.
///
/// Request:  `{"plugin": id, "method", "payload": any value}`
/// Reply:    what the plugin's `trove.rpc-peer/1` emitted
struct PeerVerb: Sendable {
    let plugins: GuestPlugins

    func perform(
        _ arguments: [String: JSONValue], deadline: Deadline, context: RequestContext
    ) async throws -> JSONValue {
        let verb = GuestVerb.pluginCall.rawValue
        let plugin = try arguments.text("plugin", method: verb)
        let id = plugins.configuration.instanceID
        let message = PeerMessage(
            instanceID: id, method: try arguments.text("method", method: verb),
            payload: arguments["payload"] ?? .null
        ).document(from: .control, instanceID: id)
        do throws(PluginError) {
            let registry = try await plugins.loadedRegistry(plugin)
            return try await registry.peer(plugin, message, plugins.options(deadline, context))
        } catch {
            throw PeerFault.fault(code: error.code.description, message: error.message)
        }
    }
}
