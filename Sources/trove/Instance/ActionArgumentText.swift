// SPDX-License-Identifier: Apache-2.0

import Client
import Glibc
import Model

/// Arguments of an action as a command line has them.
enum ActionArgumentText {
    private static let limit = 16 << 20

    /// `KEY=VALUE` words as the declaration's types have them in JSON.
    ///
    /// - Parameter declaration: An action of `GET /instances/{id}/actions`.
    static func arguments(_ words: [String], _ declaration: JSONValue) throws -> [String: JSONValue] {
        let known = declaration["args"]?.arrayValue ?? []
        var arguments: [String: JSONValue] = [:]
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ClientError(.usage, "an argument is KEY=VALUE, and one of those given is not")
            }
            let key = String(parts[0])
            guard let argument = known.first(where: { $0["name"]?.stringValue == key }) else {
                let names = known.compactMap { $0["name"]?.stringValue }.joined(separator: ", ")
                throw ClientError(
                    .usage, "the action has no argument '\(key)'" + (names.isEmpty ? "" : "; it has \(names)"))
            }
            guard arguments[key] == nil else { throw ClientError(.usage, "the argument '\(key)' is there twice") }
            let isSecret = argument["secret"]?.boolValue ?? false
            let bytes = try bytes(String(parts[1]), literalIsAllowed: !isSecret, what: key)
            arguments[key] = try value(bytes, argument["type"]?.stringValue ?? "", key)
        }
        return arguments
    }

    /// A word's content: itself, a file's with `@`, standard input's for `-`; one line end at the end of text is not part of it.
    static func bytes(_ word: String, literalIsAllowed: Bool, what: String) throws -> [UInt8] {
        if word == "-" {
            guard let bytes = Files.contents("/dev/stdin", limit: limit) else {
                throw ClientError(.usage, "\(what): standard input cannot be read, or has more than \(limit) bytes")
            }
            return bytes
        }
        if word.hasPrefix("@") {
            let path = String(word.dropFirst())
            guard let bytes = Files.contents(path, limit: limit) else {
                throw ClientError(.usage, "\(what): the file '\(path)' cannot be read, or has more than \(limit) bytes")
            }
            return bytes
        }
        guard literalIsAllowed else {
            throw ClientError(
                .usage,
                "\(what) is secret: give it as \(what)=@FILE or \(what)=- (standard input), not on the command line")
        }
        return Array(word.utf8)
    }

    private static func value(_ bytes: [UInt8], _ type: String, _ key: String) throws -> JSONValue {
        if type == "bytes" { return .string(Base64.encode(bytes)) }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw ClientError(.usage, "\(key): the value is not UTF-8")
        }
        if text.hasSuffix("\n") { text.removeLast() }
        switch type {
        case "bool":
            guard let flag = Bool(text) else { throw ClientError(.usage, "\(key) must be true or false") }
            return .bool(flag)
        case "i32", "i64", "u64":
            // Beyond 2^53 an integer travels as text; what is no integer is the service's to refuse.
            if let number = Int64(text), number.magnitude <= 1 << 53 { return .int(number) }
            return .string(text)
        case "f64":
            guard let number = Double(text), number.isFinite else {
                throw ClientError(.usage, "\(key) must be a finite number")
            }
            return .double(number)
        case "json":
            do { return try JSONValue(parsing: text) } catch {
                throw ClientError(.usage, "\(key) is not JSON: \(error.message)")
            }
        default: return .string(text)
        }
    }
}

/// Prints what can be called.
enum ActionList {
    static func write(_ actions: [JSONValue]) {
        if actions.isEmpty { Output.line("There is no action of a plugin on this instance.") }
        for action in actions {
            let summary = action["summary"]?.stringValue ?? ""
            let mark = action["read_only"] == true ? " (read only)" : ""
            Output.line(
                "\(action["name"]?.stringValue ?? "")\(mark)  \(summary)  [\(action["plugin"]?.stringValue ?? "")]")
            for argument in action["args"]?.arrayValue ?? [] { Output.line("    " + line(argument)) }
        }
    }

    private static func line(_ argument: JSONValue) -> String {
        var words = [argument["name"]?.stringValue ?? "", argument["type"]?.stringValue ?? ""]
        if argument["optional"] == true { words.append("optional") }
        if argument["secret"] == true { words.append("secret") }
        if let value = argument["default"] { words.append("default \(value.text)") }
        if let values = argument["enum"]?.arrayValue {
            words.append("one of " + values.map(\.text).joined(separator: ", "))
        }
        if let low = argument["minimum"] { words.append("at least \(low.text)") }
        if let high = argument["maximum"] { words.append("at most \(high.text)") }
        if let limit = argument["max_bytes"] { words.append("at most \(limit.text) bytes") }
        let summary = argument["summary"]?.stringValue ?? ""
        return words.joined(separator: ", ") + (summary.isEmpty ? "" : ": " + summary)
    }
}
