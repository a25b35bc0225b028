// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore

/// One version of a plugin with everything that is known about it now.
struct PluginCatalogueView: Sendable {
    let plugin: PluginDescription
    let condition: PluginCondition
    let routes: [PluginRoute]
    /// nil before the runner has told any.
    let statistics: PluginStatistics?
    let usage: PluginUsage

    /// Every version that is in use, by id and version.
    static func load(_ call: APICall) async throws -> [PluginCatalogueView] {
        let plugins = call.services.plugins
        let described = await plugins.plugins
        let (routes, statistics) = (await plugins.routes, await plugins.statistics)
        let references = try await call.services.store.read { try PluginReferences($0) }
        var views: [PluginCatalogueView] = []
        for plugin in described.sorted(by: { ($0.id, $0.version) < ($1.id, $1.version) }) {
            let reference = PluginReference(plugin.reference)
            views.append(
                PluginCatalogueView(
                    plugin: plugin, condition: await plugins.condition(reference),
                    routes: routes.filter { $0.pluginID == plugin.id && $0.version == plugin.version },
                    statistics: statistics.first { $0.pluginID == plugin.id && $0.version == plugin.version },
                    usage: references.usage(
                        of: reference, isActive: plugin.isActive,
                        isLast: described.count { $0.id == plugin.id } == 1)))
        }
        return views
    }

    /// `{"id", "version", "active", "loaded", "sha256", "signer", "roles", "provides", "calls", "errors", "stuck_calls",
    /// "in_flight", "latency_ms": {"mean", "most"}, "last_crash", "quarantine", "used_by": {noun: {"count", "first": [id]}}}`
    var summary: JSONValue { .object(members) }

    /// `summary` with `"directory", "routes", "actions", "functions": {name: …}`.
    var details: JSONValue {
        var members = members
        members["directory"] = .string(plugin.directory)
        members["routes"] = .array(
            routes.map { ["method": .string($0.method), "path": .string($0.path), "policy": .string($0.policy)] })
        members["actions"] = .array(plugin.actions.map(\.json))
        members["functions"] = .object((statistics?.functions ?? [:]).mapValues(Self.function))
        return .object(members)
    }

    private var members: [String: JSONValue] {
        let total = statistics?.total
        return [
            "id": .string(plugin.id), "version": .string(plugin.version), "active": .bool(plugin.isActive),
            "loaded": .bool(plugin.isLoaded), "sha256": .string(plugin.sha256), "signer": .optional(plugin.signer),
            "roles": .array(plugin.roles.map(JSONValue.string)),
            "provides": .array(plugin.provides.map(JSONValue.string)),
            "calls": .int(Int64(total?.calls ?? 0)), "errors": .int(Int64(total?.failed ?? 0)),
            "stuck_calls": .int(Int64(statistics?.stuck ?? 0)), "in_flight": .int(Int64(condition.inFlight)),
            "latency_ms": Self.latency(total), "last_crash": crash, "quarantine": quarantine,
            "used_by": [
                "instances": Self.users(usage.instances), "datastore_versions": Self.users(usage.datastoreVersions),
                "backups": Self.users(usage.backups),
            ],
        ]
    }

    private var crash: JSONValue {
        guard let crash = condition.crash else { return .null }
        let instance: String? = if case .guest(let id) = crash.place { id } else { nil }
        return [
            "time": .string(crash.time.text), "reason": .string(crash.reason), "count": .int(Int64(crash.count)),
            "where": .string(instance == nil ? "plugin_runner" : "guest"), "instance_id": .optional(instance),
        ]
    }

    private var quarantine: JSONValue {
        guard let reason = plugin.quarantine else { return .null }
        return ["reason": .string(reason), "since": .optional(condition.quarantinedSince?.text)]
    }

    private static func users(_ names: [String]) -> JSONValue {
        ["count": .int(Int64(names.count)), "first": .array(names.prefix(10).map(JSONValue.string))]
    }

    private static func latency(_ function: PluginStatistics.Function?) -> JSONValue {
        guard let function, function.calls > 0 else { return .null }
        return [
            "mean": .double(function.secondsTotal * 1000 / Double(function.calls)),
            "most": .double(function.secondsMost * 1000),
        ]
    }

    private static func function(_ function: PluginStatistics.Function) -> JSONValue {
        [
            "calls": .int(Int64(function.calls)), "in_flight": .int(Int64(function.inFlight)),
            "errors": .object(function.errors.mapValues { .int(Int64($0)) }), "latency_ms": latency(function),
            "buckets": .array(
                zip(PluginStatistics.Function.bounds, function.buckets).map {
                    ["at_most_ms": .double($0 * 1000), "calls": .int(Int64($1))]
                }),
        ]
    }
}
