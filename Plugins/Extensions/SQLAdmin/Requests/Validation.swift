// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Checks bodies as the reference service's schemas do, with its sentences.
///
/// Shape: `Validation error: ` and the problems joined by `; `; a problem is a path, a blank and a text, e.g.
/// `users[0] 'password' is a required property`. Source: REST contract §1.6.
struct Validation {
    private var problems: [String] = []

    /// Throws 400 if there was a problem.
    func finish() throws {
        guard problems.isEmpty else {
            throw Faults.badRequest("Validation error: " + problems.joined(separator: "; "))
        }
    }

    /// A rule for text.
    enum TextRule {
        /// 1 to 255 characters, one of them a letter or a digit.
        case name
        /// One character or more, one of them a letter or a digit.
        case userName
        /// `^[%]?[\w(-).]*[%]?$`
        case host
    }

    /// The member `key` of the body; a problem without one.
    mutating func required(_ body: JSON, _ key: String, at path: String = "") -> JSON? {
        if let value = body[key] { return value }
        add(path, "\(Python.text(key)) is a required property")
        return nil
    }

    /// The members of an object; a problem for another kind of value.
    mutating func object(_ value: JSON, at path: String) -> Bool {
        if value.objectValue != nil { return true }
        add(path, "\(Python.text(value)) is not of type 'object'")
        return false
    }

    /// The elements of a list; a problem for another kind of value.
    mutating func list(_ value: JSON, at path: String) -> [JSON] {
        if let items = value.arrayValue { return items }
        add(path, "\(Python.text(value)) is not of type 'array'")
        return []
    }

    /// A required text member.
    mutating func text(_ object: JSON, _ key: String, _ rule: TextRule, at path: String) -> String {
        guard let value = required(object, key, at: path) else { return "" }
        return check(value, rule, at: "\(path)[\(Python.text(key))]")
    }

    /// An optional text member.
    mutating func optionalText(_ object: JSON, _ key: String, _ rule: TextRule, at path: String) -> String? {
        guard let value = object[key] else { return nil }
        return check(value, rule, at: "\(path)[\(Python.text(key))]")
    }

    /// Names of databases: a list of `{"name"}` without equal elements.
    mutating func databaseNames(_ value: JSON, at path: String) -> [String] {
        let items = list(value, at: path)
        if Set(items).count != items.count { add(path, "\(Python.text(value)) has non-unique elements") }
        return items.enumerated().map { index, item in
            let place = "\(path)[\(index)]"
            return object(item, at: place) ? text(item, "name", .name, at: place) : ""
        }
    }

    private mutating func check(_ value: JSON, _ rule: TextRule, at path: String) -> String {
        guard let text = value.stringValue else {
            add(path, "\(Python.text(value)) is not of type 'string'")
            return ""
        }
        if text.isEmpty { add(path, "'' is too short") }
        if case .name = rule, text.unicodeScalars.count > 255 { add(path, "\(Python.text(text)) is too long") }
        switch rule {
        case .name, .userName:
            if !text.utf8.contains(where: Self.isAlphanumeric) {
                add(path, "\(Python.text(text)) does not match '^.*[0-9a-zA-Z]+.*$'")
            }
        case .host:
            if !Self.isHost(text) { add(path, "\(Python.text(text)) does not match '^[%]?[\\\\w(-).]*[%]?$'") }
        }
        return text
    }

    private mutating func add(_ path: String, _ problem: String) {
        problems.append(path.isEmpty ? problem : "\(path) \(problem)")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }

    private static func isHost(_ text: String) -> Bool {
        var middle = Substring(text)
        if middle.first == "%" { middle.removeFirst() }
        if middle.last == "%" { middle.removeLast() }
        return middle.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "(" || $0 == ")" || $0 == "." }
    }
}

/// Values as the reference service prints them.
enum Python {
    /// A text in quotes.
    static func text(_ value: String) -> String {
        let mark: Character = value.contains("'") && !value.contains("\"") ? "\"" : "'"
        var result = String(mark)
        for character in value {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case mark: result += "\\" + String(mark)
            default: result.append(character)
            }
        }
        return result + String(mark)
    }

    /// A value of any kind.
    static func text(_ value: JSON) -> String {
        switch value {
        case .null: "None"
        case .bool(let value): value ? "True" : "False"
        case .int(let value): String(value)
        case .double(let value): String(value)
        case .string(let value): text(value)
        case .array(let items): "[" + items.map { text($0) }.joined(separator: ", ") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { text($0.key) + ": " + text($0.value) }
                .joined(separator: ", ") + "}"
        }
    }
}
