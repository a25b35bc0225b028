// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// That a fatal signal in a plugin's code ended an instance's agent.
///
/// Shape: `{"instance_id", "plugin": "id@version", "signal": int, "sent"?: seconds}`.
package struct PluginFaultReport: Sendable, Hashable {
    package var instanceID: String
    /// `id@version`, or `id` from an agent that does not know the version.
    package var plugin: String
    package var signal: Int
    package var sent: Timestamp?

    package init(instanceID: String, plugin: String, signal: Int, sent: Timestamp?) {
        self.instanceID = instanceID
        self.plugin = plugin
        self.signal = signal
        self.sent = sent
    }

    package var arguments: [String: JSONValue] {
        var arguments: [String: JSONValue] = [
            "instance_id": .string(instanceID), "plugin": .string(plugin), "signal": .int(Int64(signal)),
        ]
        if let sent { arguments["sent"] = .double(sent.seconds) }
        return arguments
    }

    /// - Throws: `builtins.TypeError` for a wrong type.
    package init(arguments: [String: JSONValue]) throws(RPCFault) {
        let method = ConductorVerb.reportPluginFault.rawValue
        guard let signal = arguments["signal"]?.intValue else {
            throw .typeError("\(method)() argument 'signal' must be an integer")
        }
        self.init(
            instanceID: try arguments.text("instance_id", method: method),
            plugin: try arguments.text("plugin", method: method), signal: signal,
            sent: try arguments.sent(method: method))
    }
}
