// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import Notifications
import PluginHost

extension APIServices {
    /// The same, changing nothing.
    func planned(by run: DryRun) -> APIServices {
        let bus = DryRunBus(run: run, guests: guests)
        var copy = with(DryRunStore(store: store, run: run))
        copy.guests = GuestClient(bus)
        copy.taskManager = TaskManagerClient(bus)
        copy.notifier = .off
        let control = ControlService(copy)
        copy.plugins = DryRunPlugins(real: plugins, run: run, control: control)
        return copy
    }
}

/// A bus that takes questions alone: what would change something in a guest is the plan's last step.
struct DryRunBus: RPCClient {
    let run: DryRun
    /// The real ones.
    let guests: GuestClient

    func call(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, timeout: Duration,
        version: String
    ) async throws(MessagingError) -> JSONValue {
        if let verb = GuestVerb(rawValue: method), verb.isQuestion, let id = GuestTopic.instanceID(topic) {
            return try await guests.call(id, verb, arguments, context: context)
        }
        run.stop(method)
        throw MessagingError(.cancelled, "nothing is sent in a dry run")
    }

    /// Nobody waits for wake-ups.
    func cast(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) {}
}

/// Plugins in a dry run: they say what they think of a request, and do nothing.
///
/// A route is run only of a plugin whose manifest says that its routes change nothing but by control operations, which
/// change nothing here.
struct DryRunPlugins: ControlPlugins {
    let real: any ControlPlugins
    let run: DryRun
    let control: ControlService

    var plugins: [PluginDescription] { get async { await real.plugins } }
    var routes: [PluginRoute] { get async { await real.routes } }
    var refusals: [PluginRefusal] { get async { await real.refusals } }
    var statistics: [PluginStatistics] { get async { await real.statistics } }

    func condition(_ plugin: PluginReference) async -> PluginCondition { await real.condition(plugin) }

    func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        try await real.policy(reference, function, request, options)
    }

    func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue {
        let canPlan = await real.plugins.contains { plugin in
            plugin.id == route.pluginID && plugin.canDryRun
                && (route.version.isEmpty ? plugin.isActive : plugin.version == route.version)
        }
        guard canPlan else {
            throw PluginError(
                .unsupported, pluginID: route.pluginID,
                "Plugin '\(route.pluginID)' cannot tell what \(route.method) \(route.path) would do; leave dry_run out."
            )
        }
        return try await real.handle(route, request, options, control: self.control)
    }

    func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions,
        control: any ControlHandler
    ) async throws(PluginError) -> ActionResult {
        let id = PluginReference(reference).id
        run.stop(name, "Plugin '\(id)' does its action '\(name)'.")
        throw PluginError(.cancelled, pluginID: id, "nothing is done in a dry run")
    }
}
