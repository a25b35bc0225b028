// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore

/// One parameter that a configuration group may set.
struct ConfigurationParameter: Sendable, Hashable {
    enum Kind: String, Sendable {
        case integer
        case string
        case boolean
        case float
    }

    var name: String
    var kind: Kind
    /// As it is shown; an administrator's may have more words than the kind.
    var type: String
    var minimum: Double?
    var maximum: Double?
    /// The only values that there are; nil: every one of the kind and the range.
    var choices: [JSONValue]?
    var isRestartRequired: Bool

    /// One of parameters.json; nil for a document that is none.
    init?(json: JSONValue) {
        guard let name = json["name"]?.stringValue, let type = json["type"]?.stringValue,
            let kind = Kind(rawValue: type)
        else { return nil }
        self.name = name
        self.kind = kind
        self.type = type
        minimum = json["minimum"]?.doubleValue
        maximum = json["maximum"]?.doubleValue
        choices = json["enum"]?.arrayValue
        isRestartRequired = json["restart_required"]?.boolValue ?? false
    }

    init(_ record: ParameterRecord) {
        name = record.name
        kind = record.dataType.contains(Kind.integer.rawValue) ? .integer : .string
        type = record.dataType
        minimum = record.minimum.map(Double.init)
        maximum = record.maximum.map(Double.init)
        isRestartRequired = record.isRestartRequired
    }
}

/// What may be configured in a datastore version: what its plugin says, and instead of it what an administrator defined.
struct ParameterCatalogue: Sendable {
    let version: DatastoreVersionRecord
    /// By name, ascending.
    let parameters: [ConfigurationParameter]

    /// - Throws: 503 when the version's plugin is not in use now.
    static func load(_ version: DatastoreVersionRecord, _ call: APICall) async throws -> ParameterCatalogue {
        let defined = try await call.services.store.read { try $0.parameters.all(datastoreVersionID: version.id) }
        var parameters: [String: ConfigurationParameter] = [:]
        for parameter in try await ofPlugin(version, call) { parameters[parameter.name] = parameter }
        for record in defined { parameters[record.name] = ConfigurationParameter(record) }
        return ParameterCatalogue(version: version, parameters: parameters.values.sorted { $0.name < $1.name })
    }

    /// A plugin without a catalogue has no parameters.
    private static func ofPlugin(
        _ version: DatastoreVersionRecord, _ call: APICall
    ) async throws -> [ConfigurationParameter] {
        guard let reference = version.plugins["datastore"]?.stringValue else { return [] }
        do {
            let answer = try await call.services.plugins.policy(
                reference, .parameters, ["version": .string(version.name)], call.policyOptions)
            return (answer["parameters"]?.arrayValue ?? []).compactMap(ConfigurationParameter.init(json:))
        } catch {
            switch error.code {
            case .unsupported: return []
            case .notFound:
                throw APIFault(
                    503, "Datastore version '\(version.name)' needs the plugin '\(reference)', which is not loaded.")
            default: throw error
            }
        }
    }

    subscript(_ name: String) -> ConfigurationParameter? { parameters.first { $0.name == name } }

    /// The parameter of this name, whatever the case of its letters.
    func find(_ name: String) -> ConfigurationParameter? {
        if let exact = self[name] { return exact }
        let lowered = name.lowercased()
        return parameters.first { $0.name.lowercased() == lowered }
    }

    /// Throws 404 for a name that is not there.
    func require(_ name: String) throws(APIFault) -> ConfigurationParameter {
        guard let parameter = self[name] else { throw APIFault.missing(name) }
        return parameter
    }
}

extension APICall {
    /// Of a question to a datastore's policy.
    var policyOptions: CallOptions {
        CallOptions(deadline: .after(configuration.policyTimeout), context: context, instanceID: nil)
    }
}
