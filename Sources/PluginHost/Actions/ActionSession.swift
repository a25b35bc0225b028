// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Logging
package import Model

/// What an action emitted.
package struct ActionResult: Sendable, Hashable {
    /// nil when it emitted nothing.
    package var value: JSONValue?

    package init(value: JSONValue?) { self.value = value }

    /// `{"result": value}`, or `{}`, as it crosses processes.
    package var json: JSONValue { .object(value.map { ["result": $0] } ?? [:]) }

    package init(json: JSONValue) { value = json["result"] }
}

extension PluginRegistry {
    /// Runs an action of a plugin that is loaded here.
    ///
    /// The arguments are checked against the declaration of the plugin that is loaded, whoever checked them before.
    ///
    /// - Parameters:
    ///   - reference: `id` or `id@version`.
    ///   - arguments: A JSON object.
    /// - Throws: `notFound` without the plugin or the action, `unsupported` for one of the other role, `invalidArgument`
    ///   naming the argument, and what the plugin reports.
    package func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> ActionResult {
        try await action(reference, name, arguments, options, control: nil)
    }

    func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions,
        control: (any ControlBridge)?
    ) async throws(PluginError) -> ActionResult {
        let plugin = try require(reference)
        let action = try plugin.action(name)
        guard action.declaration.role == configuration.role else {
            throw PluginError(
                .unsupported, pluginID: plugin.manifest.id,
                "action '\(name)' runs in the role \(action.declaration.role.rawValue)")
        }
        let values: [ActionValue]
        do throws(ArgumentProblem) { values = try action.declaration.values(arguments) } catch {
            throw PluginError(.invalidArgument, pluginID: plugin.manifest.id, "action '\(name)': \(error)")
        }
        plugin.host.logger.debug(
            "plugin action",
            metadata: [
                "plugin.action": "\(name)", "plugin.arguments": "\(action.declaration.redacted(arguments).text)",
                "request.id": "\(options.context.requestID)",
            ])
        do throws(PluginError) {
            let output = try await plugin.perform(action, values, options, control: control)
            guard !output.isEmpty else { return ActionResult(value: nil) }
            return ActionResult(value: try Document.parse(output, "action.\(name)", plugin.manifest.id))
        } catch {
            throw action.declaration.withheld(error, arguments)
        }
    }
}

extension LoadedPlugin {
    /// - Throws: `notFound`.
    package func action(_ name: String) throws(PluginError) -> ActionCall {
        guard let action = actions.first(where: { $0.declaration.name == name }) else {
            throw PluginError(.notFound, pluginID: manifest.id, "has no action '\(name)'")
        }
        return action
    }

    /// Runs an action on a worker with values that are checked already.
    ///
    /// - Returns: What it emitted.
    package func perform(
        _ action: ActionCall, _ values: [ActionValue], _ options: CallOptions
    ) async throws(PluginError) -> [UInt8] {
        try await perform(action, values, options, control: nil)
    }

    func perform(
        _ action: ActionCall, _ values: [ActionValue], _ options: CallOptions, control: (any ControlBridge)?
    ) async throws(PluginError) -> [UInt8] {
        var options = options
        let own = Deadline.after(.seconds(action.timeoutSeconds))
        if own.instant < options.deadline.instant { options.deadline = own }
        let call = PluginCall(
            host: host, function: "action.\(action.declaration.name)", options: options, control: control)
        return try await Invocation(call, on: lane) { call, token in
            action.call(token, values, memory: call.scratch(max(1, ActionCall.memory(values))))
        }.perform()
    }
}
