// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost
import StateStore

/// Actions on an instance that plugins invent: `POST /instances/{id}/action {"<action>": {arguments}}`.
///
/// → 200 with what the action emitted, 202 and an empty body when that was nothing. Failures have the status that the
/// plugin boundary says. The order of checks is that of the core's actions: instance, policy, arguments, availability.
struct PluginActions {
    /// An action, and the plugin that has it.
    struct Found: Sendable {
        var plugin: PluginDescription
        /// What the guest or the runner is asked for.
        var reference: String
        var action: ActionDeclaration
    }

    /// A control action with an argument of this name is told the instance there.
    static let instanceArgument = "instance_id"

    let call: APICall

    /// - Returns: nil when no plugin that may act on this instance has the action.
    func perform(_ id: String, _ name: String, _ argument: JSONValue) async throws -> APIResponse? {
        let plugins = await call.services.plugins.plugins
        guard plugins.contains(where: { $0.actions.contains { $0.name == name } }) else { return nil }
        let (summary, references) = try await subject(id)
        guard let found = Self.find(summary, references, plugins).first(where: { $0.action.name == name }) else {
            return nil
        }
        try call.require(found.action.policy, owner: summary.instance.projectID)
        let sent = call.bodyType == .xml ? BodyShape(found.action).reading(argument) : argument
        let arguments = try Self.arguments(found.action, sent, instanceID: id)
        if !found.action.isReadOnly { try APICall.requireAvailable(summary) }
        if let reason = found.plugin.quarantine {
            throw APIFault(503, "Plugin '\(found.plugin.id)' is not called: \(reason)")
        }
        do {
            let result = try await run(found, arguments, instanceID: id)
            return result.value.map { APIResponse(status: 200, body: $0.serialized) } ?? .accepted
        } catch let error as PluginError {
            throw APIFault(action: error)
        }
    }

    /// `GET /instances/{id}/actions`: what plugins add to this instance, `{"actions": [{"plugin", "name", "summary",
    /// "policy", "role", "read_only", "args"}]}`.
    @Sendable static func list(_ call: APICall) async throws -> APIResponse {
        let (summary, references) = try await PluginActions(call: call).subject(call.parameter(0))
        try call.require("instance:show", owner: summary.instance.projectID)
        let items = find(summary, references, await call.services.plugins.plugins).map { found in
            var members = ExtensionView.json(found.action).objectValue ?? [:]
            members["plugin"] = .string(found.plugin.id)
            return JSONValue.object(members)
        }
        return .json { writer in
            writer.object { writer in
                writer.key("actions")
                writer.value(.array(items))
            }
        }
    }

    /// The instance as the caller may see it, and the references of the plugins that its guest maps.
    private func subject(_ id: String) async throws -> (InstanceSummary, [String]) {
        let context = call.context
        return try await call.services.store.read { transaction in
            guard let summary = try transaction.instances.summary(id),
                context.isAdmin || summary.instance.projectID == context.projectID
            else { throw APIFault.missing(id) }
            let version = try transaction.datastores.version(summary.instance.datastoreVersionID)
            func value(_ role: String) -> JSONValue? { summary.instance.plugins[role] ?? version?.plugins[role] }
            let references = [value("datastore"), value("backup")].compactMap { $0?.stringValue }
            return (summary, references + (value("extra")?.arrayValue ?? []).compactMap(\.stringValue))
        }
    }

    /// Actions of the guest's plugins, and control actions of enabled plugins for this datastore.
    static func find(
        _ summary: InstanceSummary, _ references: [String], _ plugins: [PluginDescription]
    ) -> [Found] {
        var found: [Found] = []
        var named: Set<String> = []
        for text in references {
            let reference = PluginReference(text)
            named.insert(reference.id)
            let plugin = plugins.first {
                $0.id == reference.id && (reference.version == nil ? $0.isActive : $0.version == reference.version)
            }
            guard let plugin else { continue }
            found += plugin.actions.map { Found(plugin: plugin, reference: text, action: $0) }
        }
        for plugin in plugins where plugin.isActive && !named.contains(plugin.id) {
            guard PluginDatastore.covers(plugin.datastores, summary.datastoreName, summary.datastoreVersionName) else {
                continue
            }
            found += plugin.actions.filter { $0.role == .control }.map {
                Found(plugin: plugin, reference: plugin.reference, action: $0)
            }
        }
        return found
    }

    /// The arguments as they are sent, checked.
    static func arguments(
        _ action: ActionDeclaration, _ argument: JSONValue, instanceID: String
    ) throws(APIFault) -> JSONValue {
        guard var members = argument.objectValue else {
            throw APIFault(400, "The arguments of the action '\(action.name)' must be an object.")
        }
        let isTold = action.arguments.contains { $0.name == instanceArgument && $0.type == .str }
        if action.role == .control, isTold {
            guard members[instanceArgument].map({ $0 == .string(instanceID) }) ?? true else {
                throw APIFault(400, "The argument '\(instanceArgument)' is the instance of the request; leave it out.")
            }
            members[instanceArgument] = .string(instanceID)
        }
        do throws(ArgumentProblem) { _ = try action.values(.object(members)) } catch {
            throw APIFault(400, "Action '\(action.name)': \(error).")
        }
        return .object(members)
    }

    private func run(
        _ found: Found, _ arguments: JSONValue, instanceID: String
    ) async throws -> ActionResult {
        let services = call.services
        guard found.action.role == .guest else {
            let options = CallOptions(
                deadline: .after(call.configuration.pluginRouteTimeout), context: call.context, instanceID: instanceID)
            return try await services.plugins.action(
                found.reference, found.action.name, arguments, options,
                control: ControlService(services).asked(by: call.request))
        }
        let reply: JSONValue
        do {
            reply = try await services.callGuest(
                instanceID, .pluginAction,
                ["plugin": .string(found.reference), "action": .string(found.action.name), "arguments": arguments],
                context: call.context)
        } catch {
            throw PluginError(
                error.code == .timedOut ? .timedOut : .unavailable, pluginID: found.plugin.id,
                APIFault.guestMessage(error))
        }
        if let failure = reply["error"] { throw PluginError(json: failure) }
        return ActionResult(json: reply)
    }
}

extension APIFault {
    /// Source: plugin boundary, statuses, the column for actions and vendors' routes.
    init(action error: PluginError) {
        let status =
            switch error.code {
            case .invalidArgument: 400
            case .permissionDenied: 403
            case .notFound: 404
            case .alreadyExists, .busy: 409
            case .exhausted: 413
            case .preconditionFailed: 422
            case .unsupported: 501
            case .unavailable: 503
            case .timedOut: 504
            default: 500
            }
        let message = error.code == .crashed ? "Plugin '\(error.pluginID)' crashed: \(error.message)" : error.message
        self.init(status, message)
        if let details = error.details, details.objectValue != nil { self.details["details"] = details }
        if error.code == .unavailable || error.code == .busy { retryAfter = 1 }
    }
}
