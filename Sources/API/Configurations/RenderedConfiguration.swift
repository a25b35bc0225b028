// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore

/// The configuration that a datastore's policy renders for an instance's size.
enum RenderedConfiguration {
    /// - Throws: 422 for overrides that the policy refuses; 400 for an instance whose flavor is gone.
    static func text(
        _ instance: InstanceRecord, _ version: DatastoreVersionRecord, overrides: [String: JSONValue], _ call: APICall
    ) async throws -> String {
        guard let reference = (instance.plugins["datastore"] ?? version.plugins["datastore"])?.stringValue else {
            throw APIFault(503, "Datastore version '\(version.name)' names no plugin; an operator must set one.")
        }
        guard let flavor = call.configuration.flavors.first(where: { $0.id == instance.flavorID }) else {
            throw APIFault(.flavorNotFound, "Resource \(instance.flavorID) cannot be found.")
        }
        let request: JSONValue = [
            "version": .string(version.name), "memory_mb": .int(Int64(flavor.ramMiB)),
            "vcpus": .int(Int64(flavor.vcpus)), "volume_gib": .int(Int64(instance.volumeGiB)),
            "instance_id": .string(instance.id), "overrides": .object(overrides),
        ]
        do {
            let answer = try await call.services.plugins.policy(
                reference, .renderConfiguration, request, call.policyOptions)
            return answer["config_contents"]?.stringValue ?? ""
        } catch {
            guard error.code == .invalidArgument, !overrides.isEmpty else { throw error }
            throw ParameterCatalogue.refusal(error.message)
        }
    }

    /// Names and values of a configuration's lines, whatever the engine: a name, `=` or a space, and the value, in quotes
    /// perhaps. Sections and comments are left out; of two equal names the last counts.
    static func values(_ text: String) -> [String: JSONValue] {
        var values: [String: JSONValue] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = trimmed(line)
            guard let first = line.first, !"#;[".contains(first) else { continue }
            let name = line.prefix { $0 != "=" && !$0.isWhitespace }
            guard !name.isEmpty else { continue }
            var value = trimmed(line.dropFirst(name.count))
            if value.first == "=" { value = trimmed(value.dropFirst()) }
            values[String(name)] = .string(unquoted(value))
        }
        return values
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    private static func unquoted(_ text: Substring) -> String {
        guard text.count >= 2, let quote = text.first, quote == "'" || quote == "\"", text.last == quote else {
            return String(text)
        }
        return String(text.dropFirst().dropLast())
    }
}

/// `GET /instances/{id}/configuration` → `{"instance": {"configuration": {name: value}}}`: what an instance of this size has
/// without a group. Source: REST contract §3.1.
enum InstanceConfiguration {
    static let route = Route(
        "GET", "/instances/{id}/configuration",
        RouteDescription(
            "show_instance_configuration", "The configuration that an instance of this size has without a group.",
            rule: "instance:configuration",
            answer: .document("instance", .object(["configuration": .map(of: .any)], required: ["configuration"]))),
        show)

    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        let (instance, version) = try await call.services.store.read { transaction in
            let instance = try call.instance(id, rule: "instance:configuration", transaction).instance
            return (instance, try transaction.datastores.version(instance.datastoreVersionID))
        }
        guard let version else { throw APIFault(.modelNotFound, "DBDatastoreVersion Not Found") }
        let text = try await RenderedConfiguration.text(instance, version, overrides: [:], call)
        let values = ConfigurationView.masked(RenderedConfiguration.values(text))
        return .json { writer in writer.value(["instance": ["configuration": .object(values)]]) }
    }
}
