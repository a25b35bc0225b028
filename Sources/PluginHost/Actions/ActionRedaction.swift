// SPDX-License-Identifier: Apache-2.0

package import Model

extension ActionDeclaration {
    /// The arguments with `<redacted>` in place of secret ones, for logs. What is not declared is left out.
    package func redacted(_ object: JSONValue) -> JSONValue {
        var members: [String: JSONValue] = [:]
        for argument in arguments {
            guard let value = object[argument.name] else { continue }
            members[argument.name] = argument.isSecret && !value.isNull ? "<redacted>" : value
        }
        return .object(members)
    }

    /// A failure as it may be shown: one that repeats a secret argument loses its sentence.
    func withheld(_ error: PluginError, _ object: JSONValue) -> PluginError {
        let secrets = arguments.filter(\.isSecret).flatMap { Self.texts(object[$0.name] ?? .null) }
        guard !secrets.isEmpty else { return error }
        let shown = error.message + (error.details?.text ?? "")
        guard secrets.contains(where: { shown.contains($0) || shown.contains(Self.escaped($0)) }) else { return error }
        return PluginError(
            error.code, pluginID: error.pluginID, "action '\(name)' failed, and what it said held a secret argument")
    }

    private static func escaped(_ text: String) -> String { String(JSONValue.string(text).text.dropFirst().dropLast()) }

    /// Every text in a value.
    private static func texts(_ value: JSONValue) -> [String] {
        switch value {
        case .string(let text): text.isEmpty ? [] : [text]
        case .array(let items): items.flatMap(texts)
        case .object(let members): members.values.flatMap(texts)
        default: []
        }
    }
}
