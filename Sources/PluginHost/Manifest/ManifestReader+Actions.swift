// SPDX-License-Identifier: Apache-2.0

import Model

extension ManifestReader {
    /// `"actions": [{"name", "summary", "policy", "role", "read_only", "args", "samples"}]`.
    func actions(_ root: JSONValue, roles: Set<PluginRole>) throws(PluginRefusal) -> [ActionDeclaration] {
        guard let value = root["actions"] else { return [] }
        guard let items = value.arrayValue else { throw refuse("actions", "must be a list of objects") }
        guard items.count <= ActionDeclaration.limit else {
            throw refuse("actions", "must have at most \(ActionDeclaration.limit)")
        }
        var actions: [ActionDeclaration] = []
        for (index, item) in items.enumerated() {
            let place = "actions[\(index)]"
            let action = try action(item, place, roles: roles)
            guard !actions.contains(where: { $0.name == action.name }) else {
                throw refuse("\(place).name", "'\(action.name)' is there twice")
            }
            actions.append(action)
        }
        return actions
    }

    /// One action; also the form in which it crosses processes.
    func action(
        _ item: JSONValue, _ place: String, roles: Set<PluginRole>
    ) throws(PluginRefusal) -> ActionDeclaration {
        guard item.objectValue != nil else { throw refuse(place, "must be an object") }
        let action = ActionDeclaration(
            name: try snakeCase(item, "name", in: place),
            summary: try line(item, "summary", in: place),
            policy: try policy(item, place),
            role: try role(item, place, roles),
            isReadOnly: try flag(item, "read_only", in: place) ?? false,
            arguments: try arguments(item, place),
            samples: try objects(item, "samples", in: place)
        )
        for (index, sample) in action.samples.enumerated() {
            do throws(ArgumentProblem) { _ = try action.values(sample) } catch {
                throw refuse("\(place).samples[\(index)]", "does not fit args: \(error)")
            }
        }
        return action
    }

    private func arguments(_ item: JSONValue, _ place: String) throws(PluginRefusal) -> [ActionArgument] {
        let items = try objects(item, "args", in: place)
        guard items.count <= ActionDeclaration.argumentLimit else {
            throw refuse("\(place).args", "must have at most \(ActionDeclaration.argumentLimit)")
        }
        var arguments: [ActionArgument] = []
        for (index, item) in items.enumerated() {
            let place = "\(place).args[\(index)]"
            let argument = try argument(item, place)
            guard !arguments.contains(where: { $0.name == argument.name }) else {
                throw refuse("\(place).name", "'\(argument.name)' is there twice")
            }
            arguments.append(argument)
        }
        return arguments
    }

    private func argument(_ item: JSONValue, _ place: String) throws(PluginRefusal) -> ActionArgument {
        let word = try text(item, "type", in: "\(place).")
        guard let type = ActionType(rawValue: word) else {
            let types = ActionType.allCases.map(\.rawValue).joined(separator: ", ")
            throw refuse("\(place).type", "'\(word)' is not one of \(types)")
        }
        var argument = ActionArgument(
            name: try snakeCase(item, "name", in: place), type: type, summary: try line(item, "summary", in: place),
            isOptional: try flag(item, "optional", in: place) ?? (item["default"] != nil),
            isSecret: try flag(item, "secret", in: place) ?? false, defaultValue: nil, allowed: [])
        argument.minimum = try bound(item, "minimum", type, place)
        argument.maximum = try bound(item, "maximum", type, place)
        if let low = argument.minimum?.doubleValue, let high = argument.maximum?.doubleValue, low > high {
            throw refuse("\(place).minimum", "is greater than maximum")
        }
        argument.maxBytes = try maxBytes(item, type, place)
        // What is declared is checked as what is given will be.
        argument.allowed = try allowed(item, argument, place)
        if let value = item["default"] { argument.defaultValue = try defaultValue(value, argument, place) }
        if argument.isOptional, !type.isBorrowed, argument.defaultValue == nil {
            throw refuse("\(place).default", "is missing: an optional \(word) cannot be NULL")
        }
        return argument
    }

    private func defaultValue(
        _ value: JSONValue, _ argument: ActionArgument, _ place: String
    ) throws(PluginRefusal) -> JSONValue {
        guard argument.isOptional else { throw refuse("\(place).optional", "must not be false beside a default") }
        guard !argument.isSecret else { throw refuse("\(place).default", "a secret argument has no default") }
        var strict = argument
        strict.isOptional = false
        do throws(ArgumentProblem) { _ = try strict.value(value) } catch {
            throw refuse("\(place).default", error.message)
        }
        return value
    }

    private func allowed(
        _ item: JSONValue, _ argument: ActionArgument, _ place: String
    ) throws(PluginRefusal) -> [JSONValue] {
        guard let value = item["enum"] else { return [] }
        guard let values = value.arrayValue, !values.isEmpty else {
            throw refuse("\(place).enum", "must be a list with at least one value")
        }
        var strict = argument
        strict.isOptional = false
        var seen: Set<ActionValue> = []
        for (index, value) in values.enumerated() {
            let typed: ActionValue
            do throws(ArgumentProblem) { typed = try strict.value(value) } catch {
                throw refuse("\(place).enum[\(index)]", error.message)
            }
            guard seen.insert(typed).inserted else { throw refuse("\(place).enum[\(index)]", "is there twice") }
        }
        return values
    }

    private func bound(
        _ item: JSONValue, _ field: String, _ type: ActionType, _ place: String
    ) throws(PluginRefusal) -> JSONValue? {
        guard let value = item[field] else { return nil }
        let field = "\(place).\(field)"
        if type.isInteger {
            guard case .int = value else { throw refuse(field, "must be an integer") }
            let argument = ActionArgument(
                name: "", type: type, summary: "", isOptional: false, isSecret: false, defaultValue: nil, allowed: [])
            do throws(ArgumentProblem) { _ = try argument.value(value) } catch { throw refuse(field, error.message) }
            return value
        }
        guard type == .f64 else { throw refuse(field, "is for numbers, not for \(type.rawValue)") }
        guard value.doubleValue != nil else { throw refuse(field, "must be a number") }
        return value
    }

    private func maxBytes(_ item: JSONValue, _ type: ActionType, _ place: String) throws(PluginRefusal) -> Int? {
        guard let value = item["max_bytes"] else { return nil }
        guard type.isBorrowed else {
            throw refuse("\(place).max_bytes", "is for str, bytes and json, not for \(type.rawValue)")
        }
        guard let count = value.intValue, (1...16 << 20).contains(count) else {
            throw refuse("\(place).max_bytes", "must be an integer between 1 and \(16 << 20)")
        }
        return count
    }

    private func role(
        _ item: JSONValue, _ place: String, _ roles: Set<PluginRole>
    ) throws(PluginRefusal) -> PluginRole {
        guard item["role"] != nil else { return roles.contains(.guest) ? .guest : .control }
        let word = try text(item, "role", in: "\(place).")
        guard let role = PluginRole(rawValue: word) else {
            throw refuse("\(place).role", "'\(word)' is not one of guest, control")
        }
        guard roles.contains(role) else {
            throw refuse("\(place).role", "'\(word)' is not one of the plugin's roles")
        }
        return role
    }

    /// Rule names are words, ':', '_' and '-', as in `instance:flush_hosts`.
    private func policy(_ item: JSONValue, _ place: String) throws(PluginRefusal) -> String {
        let rule = try text(item, "policy", in: "\(place).")
        guard PolicyRuleName.isOne(rule) else {
            throw refuse("\(place).policy", "'\(rule)' is not a rule name such as instance:flush_hosts")
        }
        return rule
    }

    private func snakeCase(_ item: JSONValue, _ field: String, in place: String) throws(PluginRefusal) -> String {
        let name = try text(item, field, in: "\(place).")
        let bytes = Array(name.utf8)
        guard bytes.count <= 64, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[0]),
            bytes.allSatisfy({ byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            })
        else {
            throw refuse(
                "\(place).\(field)",
                "must start with a lower-case letter and have at most 64 lower-case letters, digits and '_'")
        }
        return name
    }

    /// One line of text; empty without one.
    private func line(_ item: JSONValue, _ field: String, in place: String) throws(PluginRefusal) -> String {
        guard item[field] != nil, item[field] != "" else { return "" }
        return try text(item, field, in: "\(place).")
    }

    private func flag(_ item: JSONValue, _ field: String, in place: String) throws(PluginRefusal) -> Bool? {
        guard let value = item[field] else { return nil }
        guard let flag = value.boolValue else { throw refuse("\(place).\(field)", "must be true or false") }
        return flag
    }

    private func objects(_ item: JSONValue, _ field: String, in place: String) throws(PluginRefusal) -> [JSONValue] {
        guard let value = item[field] else { return [] }
        guard let items = value.arrayValue else { throw refuse("\(place).\(field)", "must be a list of objects") }
        for (index, item) in items.enumerated() where item.objectValue == nil {
            throw refuse("\(place).\(field)[\(index)]", "must be an object")
        }
        return items
    }
}

/// Names of policy rules.
enum PolicyRuleName {
    /// Lower-case words with ':', '_' and '-', at most 128 bytes.
    static func isOne(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 128
            && text.split(separator: ":", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy { byte in
                        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                    }
            }
    }
}
