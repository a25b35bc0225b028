// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost

/// `apply_configuration`: hands changed parameters to the datastore, which keeps the configuration for every later start.
///
/// Request: `{"values": {name: value, or null to take it away}, "config_contents": text}`
/// Reply:   `{"restart_required": [name]}`
/// Timeout: 180 s. Repeating it does nothing more.
struct ConfigurationVerb: Sendable {
    let plugins: GuestPlugins

    func perform(
        _ arguments: [String: JSONValue], deadline: Deadline, context: RequestContext
    ) async throws -> JSONValue {
        let verb = GuestVerb.applyConfiguration.rawValue
        guard let values = arguments["values"], values.objectValue != nil else {
            throw RPCFault.typeError("\(verb)() argument 'values' must be an object")
        }
        let contents = try arguments.text("config_contents", method: verb)
        let reply = try await plugins.call(
            .applyConfiguration, ["values": values, "config_contents": .string(contents)], verb: verb,
            deadline: deadline, context: context)
        guard let names = reply["restart_required"], names.arrayValue != nil else {
            throw GuestAgentError(.invalid, "the datastore does not say which parameters need a restart")
        }
        return ["restart_required": names]
    }
}
