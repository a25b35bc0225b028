// SPDX-License-Identifier: Apache-2.0

import Calls
import Logging
import Messaging
import Model
import PluginHost

/// `plugin_action`: runs an action of a plugin that this guest has loaded.
///
/// Request: `{"plugin": reference, "action": name, "arguments": object}`.
/// Reply:   `{"result": value}`, `{}` when it emitted nothing, or `{"error": {"code", "plugin", "message", "details"}}` with
///          the plugin's own failure, which keeps its status that way.
/// Timeout: 180 s.
struct ActionVerb: Sendable {
    let plugins: GuestPlugins

    func perform(
        _ arguments: [String: JSONValue], deadline: Deadline, context: RequestContext
    ) async throws -> JSONValue {
        guard let plugin = arguments["plugin"]?.stringValue, let name = arguments["action"]?.stringValue,
            let values = arguments["arguments"], values.objectValue != nil
        else {
            throw RPCFault.typeError("plugin_action() needs texts 'plugin' and 'action' and an object 'arguments'")
        }
        do throws(PluginError) {
            return try await plugins.action(plugin, name, values, deadline: deadline, context: context).json
        } catch {
            plugins.logger.notice(
                "an action failed",
                metadata: [
                    "plugin.id": "\(error.pluginID)", "plugin.action": "\(name)", "request.id": "\(context.requestID)",
                    "error.code": "\(error.code)", "error.message": "\(error.message)",
                ])
            return ["error": error.json]
        }
    }
}
