// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore

/// Checks values of configuration groups. Sentences: REST contract §9, and the reference service's where that leaves them out.
extension ParameterCatalogue {
    /// The values under the parameters' own names, each of its kind and in its range.
    ///
    /// - Throws: 422 naming the first parameter, by name, whose value cannot be taken.
    func checked(_ values: [String: JSONValue], datastore: String) throws(APIFault) -> [String: JSONValue] {
        guard !values.isEmpty else { return [:] }
        guard !parameters.isEmpty else {
            throw Self.refusal(
                "Configuration groups are not supported for this datastore: \(datastore) \(version.name)")
        }
        var checked: [String: JSONValue] = [:]
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let parameter = find(name) else {
                throw Self.refusal(
                    "The configuration parameter \(name) is not supported for this datastore: \(datastore)"
                        + " \(version.name).")
            }
            checked[parameter.name] = try parameter.checked(value)
        }
        return checked
    }

    /// Asks the plugin whether the values can be used together.
    ///
    /// - Throws: 422 with the plugin's sentence.
    func checkTogether(_ values: [String: JSONValue], _ call: APICall) async throws {
        guard !values.isEmpty, let reference = version.plugins["datastore"]?.stringValue else { return }
        do {
            _ = try await call.services.plugins.policy(
                reference, .validateConfiguration,
                ["version": .string(version.name), "values": .object(values)], call.policyOptions)
        } catch {
            switch error.code {
            case .unsupported: return
            case .invalidArgument: throw Self.refusal(error.message)
            default: throw error
            }
        }
    }

    static func refusal(_ sentence: String) -> APIFault { APIFault(.unprocessableEntity, sentence) }
}

extension ConfigurationParameter {
    /// The value as it is kept; a boolean counts as an integer, as in the reference service.
    fileprivate func checked(_ value: JSONValue) throws(APIFault) -> JSONValue {
        var value = value
        if kind == .integer, let flag = value.boolValue { value = .int(flag ? 1 : 0) }
        let fits =
            switch kind {
            case .integer: value.intValue != nil
            case .float: value.doubleValue != nil
            case .boolean: value.boolValue != nil
            case .string: value.stringValue != nil
            }
        guard fits else {
            throw ParameterCatalogue.refusal(
                "The value provided for the configuration parameter \(name) is not of type \(type).")
        }
        if let number = value.doubleValue { try checkRange(number) }
        guard choices?.contains(value) ?? true else {
            throw ParameterCatalogue.refusal(
                "The value provided for the configuration parameter \(name) is not one of"
                    + " \(JSONValue.array(choices ?? []).quoted).")
        }
        return value
    }

    private func checkRange(_ number: Double) throws(APIFault) {
        if let minimum, number < minimum {
            throw ParameterCatalogue.refusal(
                "The value for the configuration parameter \(name) is less than the minimum allowed:"
                    + " \(Self.number(minimum).text)")
        }
        if let maximum, number > maximum {
            throw ParameterCatalogue.refusal(
                "The value for the configuration parameter \(name) is greater than the maximum allowed:"
                    + " \(Self.number(maximum).text)")
        }
    }

    /// An integer where it is whole.
    static func number(_ value: Double) -> JSONValue { Int64(exactly: value).map(JSONValue.int) ?? .double(value) }
}
