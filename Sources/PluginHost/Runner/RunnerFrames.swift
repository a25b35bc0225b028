// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Logging
import Model

/// The documents between worker and plugin runner. `type` says which; unknown ones are skipped.
enum RunnerFrame {
    static func configure(_ configuration: PluginHostConfiguration, excluding excluded: Set<String>) -> JSONValue {
        .object([
            "type": "configure",
            "directories": texts(configuration.directories),
            "enabled": texts(configuration.enabled.sorted()),
            "disabled": texts(configuration.disabled.union(excluded).sorted()),
            "settings": .object(configuration.settings),
            "egress": .object(configuration.egress.mapValues { texts($0.map(\.origin).sorted()) }),
            "http": ["proxy": .optional(configuration.http.proxy), "ca_file": .optional(configuration.http.caFile)],
            "object_directory": .optional(configuration.objectDirectory),
            "trust": configuration.trust.json,
            "active": .object(configuration.active.mapValues(JSONValue.string)),
            "core_routes": texts(configuration.coreRoutes),
            "probe_command": texts(configuration.probeCommand),
            "probe_timeout_ms": milliseconds(configuration.probeTimeout),
            "grace_ms": milliseconds(configuration.cancellationGrace),
            "host_version": .string(configuration.hostVersion),
            "log_level": .string(configuration.logger.logLevel.rawValue),
        ])
    }

    /// - Throws: `invalidArgument` for trust that this host does not know.
    static func configuration(
        _ frame: JSONValue, logger: Logger
    ) throws(PluginError) -> PluginHostConfiguration {
        var logger = logger
        if let level = frame["log_level"]?.stringValue.flatMap(Logger.Level.init(rawValue:)) { logger.logLevel = level }
        var configuration = PluginHostConfiguration(
            directories: texts(frame["directories"]), enabled: Set(texts(frame["enabled"])),
            disabled: Set(texts(frame["disabled"])), role: .control, settings: frame["settings"]?.objectValue ?? [:],
            probeCommand: texts(frame["probe_command"]), logger: logger)
        configuration.probeTimeout = .milliseconds(frame["probe_timeout_ms"]?.intValue ?? 15_000)
        configuration.cancellationGrace = .milliseconds(frame["grace_ms"]?.intValue ?? 10_000)
        configuration.egress = (frame["egress"]?.objectValue ?? [:]).mapValues {
            Set(texts($0).compactMap(EgressRule.init))
        }
        configuration.http.proxy = frame["http"]?["proxy"]?.stringValue
        configuration.http.caFile = frame["http"]?["ca_file"]?.stringValue
        configuration.objectDirectory = frame["object_directory"]?.stringValue
        configuration.hostVersion = frame["host_version"]?.stringValue ?? configuration.hostVersion
        configuration.trust = try PluginTrust(json: frame["trust"] ?? [:])
        configuration.coreRoutes = texts(frame["core_routes"])
        configuration.active = (frame["active"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
        return configuration
    }

    static func ready(_ registry: PluginRegistry) -> JSONValue {
        .object([
            "type": "ready",
            "plugins": .array(registry.descriptions.map(json)),
            "routes": .array(registry.routes.map(json)),
            "refusals": .array(registry.refusals.map(\.json)),
        ])
    }

    static func reply(_ id: Int, _ result: Result<JSONValue, PluginError>, type: String = "reply") -> JSONValue {
        switch result {
        case .success(let value): .object(["type": .string(type), "id": .int(Int64(id)), "result": value])
        case .failure(let error): .object(["type": .string(type), "id": .int(Int64(id)), "error": error.json])
        }
    }

    static func result(_ frame: JSONValue) -> Result<JSONValue, PluginError> {
        if let error = frame["error"] { return .failure(PluginError(json: error)) }
        return .success(frame["result"] ?? .null)
    }

    /// Members that every call has.
    static func call(_ type: String, _ id: Int, _ request: JSONValue, _ options: CallOptions) -> [String: JSONValue] {
        [
            "type": .string(type), "id": .int(Int64(id)), "request": request,
            "time_left_ms": milliseconds(options.deadline.remaining), "context": json(options.context),
            "instance_id": .optional(options.instanceID), "wants_progress": .bool(options.onProgress != nil),
        ]
    }

    static func options(
        _ frame: JSONValue, onProgress: @escaping @Sendable (Int, String) -> Void
    ) -> CallOptions {
        var options = CallOptions(
            deadline: .after(.milliseconds(frame["time_left_ms"]?.intValue ?? 0)),
            context: context(frame["context"] ?? .null), instanceID: frame["instance_id"]?.stringValue,
            onProgress: frame["wants_progress"]?.boolValue == true ? onProgress : nil)
        options.frameID = frame["id"]?.intValue
        return options
    }

    static func texts(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }

    static func texts(_ value: JSONValue?) -> [String] { (value?.arrayValue ?? []).compactMap(\.stringValue) }

    private static func milliseconds(_ duration: Duration) -> JSONValue {
        .int(max(0, duration.microseconds / 1000))
    }

    private static func json(_ context: RequestContext) -> JSONValue {
        .object([
            "request_id": .string(context.requestID), "user_id": .string(context.userID),
            "user_name": .string(context.userName), "project_id": .string(context.projectID),
            "roles": texts(context.roles), "is_admin": .bool(context.isAdmin),
        ])
    }

    private static func context(_ value: JSONValue) -> RequestContext {
        RequestContext(
            requestID: value["request_id"]?.stringValue ?? "", userID: value["user_id"]?.stringValue ?? "",
            userName: value["user_name"]?.stringValue ?? "", projectID: value["project_id"]?.stringValue ?? "",
            roles: texts(value["roles"]), isAdmin: value["is_admin"]?.boolValue ?? false)
    }

    private static func json(_ plugin: PluginDescription) -> JSONValue {
        .object([
            "id": .string(plugin.id), "version": .string(plugin.version), "sha256": .string(plugin.sha256),
            "roles": texts(plugin.roles), "provides": texts(plugin.provides), "directory": .string(plugin.directory),
            "signer": .optional(plugin.signer), "active": .bool(plugin.isActive), "loaded": .bool(plugin.isLoaded),
            "actions": .array(plugin.actions.map(\.json)), "datastores": PluginDatastore.json(plugin.datastores),
            "dry_run": .bool(plugin.canDryRun), "incremental": .bool(plugin.makesIncrements),
        ])
    }

    static func plugin(_ value: JSONValue) -> PluginDescription {
        PluginDescription(
            id: value["id"]?.stringValue ?? "", version: value["version"]?.stringValue ?? "",
            sha256: value["sha256"]?.stringValue ?? "", roles: texts(value["roles"]),
            provides: texts(value["provides"]), directory: value["directory"]?.stringValue ?? "",
            signer: value["signer"]?.stringValue, isActive: value["active"]?.boolValue ?? true,
            isLoaded: value["loaded"]?.boolValue ?? true, actions: ActionDeclaration.list(value["actions"]),
            datastores: PluginDatastore.list(value["datastores"]), canDryRun: value["dry_run"] == true,
            makesIncrements: value["incremental"] == true)
    }

    private static func json(_ route: PluginRoute) -> JSONValue {
        .object([
            "plugin": .string(route.pluginID), "version": .string(route.version), "index": .int(Int64(route.index)),
            "method": .string(route.method),
            "path": .string(route.path), "policy": .string(route.policy), "summary": .string(route.summary),
            "request_schema": route.requestSchema ?? .null, "response_schema": route.responseSchema ?? .null,
        ])
    }

    static func route(_ value: JSONValue) -> PluginRoute {
        PluginRoute(
            pluginID: value["plugin"]?.stringValue ?? "", version: value["version"]?.stringValue ?? "",
            index: value["index"]?.intValue ?? -1,
            method: value["method"]?.stringValue ?? "", path: value["path"]?.stringValue ?? "",
            policy: value["policy"]?.stringValue ?? "", summary: value["summary"]?.stringValue ?? "",
            requestSchema: value["request_schema"].flatMap { $0.isNull ? nil : $0 },
            responseSchema: value["response_schema"].flatMap { $0.isNull ? nil : $0 })
    }
}
