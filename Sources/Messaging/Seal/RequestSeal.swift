// SPDX-License-Identifier: Apache-2.0

import Model

/// The sealed form of a request's members.
///
/// Shape: each argument's value is a box, the context as a whole is one, `_context_context`. With a label, an argument is the text
/// `{"csz-instance-id": label, "entity": box}` and the context also has `_context_csz-instance-id`. Method, version and the
/// members with which replies find back stay clear; `sealed_for` inside the context binds the box to method and unique id, so that
/// neither can be changed on the way. Source: encrypted RPC of the reference service, which ignores `sealed_for`.
enum RequestSeal {
    static let contextKey = "_context_context"
    static let labelKey = "_context_csz-instance-id"
    private static let prefix = "_context_"
    private static let label = "csz-instance-id"
    private static let binding = "sealed_for"

    static func isSealed(_ members: [String: JSONValue]) -> Bool { members[contextKey] != nil }

    static func seal(
        _ members: [String: JSONValue], key: RPCKey, label: String?
    ) throws(MessagingError) -> [String: JSONValue] {
        var sealed: [String: JSONValue] = [:]
        var context: [String: JSONValue] = [:]
        for (name, value) in members {
            if name.hasPrefix(prefix) {
                context[String(name.dropFirst(prefix.count))] = value
            } else {
                sealed[name] = value
            }
        }
        context[binding] = .string(bound(members))
        sealed[contextKey] = .string(try key.cipher.seal(JSONValue.object(context).serialized))
        sealed[labelKey] = label.map(JSONValue.string)
        var arguments: [String: JSONValue] = [:]
        for (name, value) in members["args"]?.objectValue ?? [:] {
            let box = JSONValue.string(try key.cipher.seal(value.serialized))
            if let label {
                arguments[name] = .string(JSONValue.object(["entity": box, Self.label: .string(label)]).text)
            } else {
                arguments[name] = box
            }
        }
        sealed["args"] = .object(arguments)
        return sealed
    }

    /// The plain members of a sealed request.
    ///
    /// - Throws: `badMessage` for a wrong key, a value that is not sealed or under another label, and for a box that was made
    ///   for another request.
    static func open(
        _ members: [String: JSONValue], key: RPCKey, label: String?
    ) throws(MessagingError) -> [String: JSONValue] {
        guard let box = members[contextKey]?.stringValue,
            case .object(let context) = try value(of: box, key), members[labelKey]?.stringValue == label
        else { throw MessagingError(.badMessage, "a sealed request has no context that opens") }
        if let made = context[binding], made.stringValue != bound(members) {
            throw MessagingError(.badMessage, "a sealed request was made for another method or under another id")
        }
        var plain = members.filter { !$0.key.hasPrefix(prefix) }
        for (name, value) in context where name != binding { plain[prefix + name] = value }
        var arguments: [String: JSONValue] = [:]
        for (name, argument) in members["args"]?.objectValue ?? [:] {
            guard let text = argument.stringValue else { throw clear(name) }
            arguments[name] = try value(of: label == nil ? text : entity(text, label, name), key)
        }
        plain["args"] = .object(arguments)
        return plain
    }

    private static func entity(_ text: String, _ label: String?, _ name: String) throws(MessagingError) -> String {
        guard let document = try? JSONValue(parsing: text), let box = document["entity"]?.stringValue else {
            throw clear(name)
        }
        guard document[Self.label]?.stringValue == label else {
            throw MessagingError(.badMessage, "an argument is labelled for another instance than its request")
        }
        return box
    }

    private static func clear(_ name: String) -> MessagingError {
        MessagingError(.badMessage, "an argument of a sealed request is not sealed")
    }

    /// The value in a box.
    static func value(of box: String, _ key: RPCKey) throws(MessagingError) -> JSONValue {
        let text = try key.cipher.open(box)
        do throws(JSONError) {
            return try JSONValue(parsing: text)
        } catch {
            throw MessagingError(.badMessage, "a sealed value does not open with this key")
        }
    }

    private static func bound(_ members: [String: JSONValue]) -> String {
        "\(members["method"]?.stringValue ?? "") \(members["_unique_id"]?.stringValue ?? "")"
    }
}

extension ReplyMessage {
    /// The same with its result in a box; failures and signs of life stay clear.
    package func sealed(with key: RPCKey) throws(MessagingError) -> ReplyMessage {
        guard case .result(let value) = content, isEnding else { return self }
        let box = try key.cipher.seal(value.serialized)
        return ReplyMessage(messageID: messageID, content: .result(.string(box)))
    }

    /// The same with its result out of the box; one that does not open is malformed.
    package func opened(with key: RPCKey) -> ReplyMessage {
        guard case .result(let value) = content, isEnding || !value.isNull else { return self }
        var opened = self
        if let box = value.stringValue, let result = try? RequestSeal.value(of: box, key) {
            opened.content = .result(result)
        } else {
            opened.content = .malformed("the result of a reply does not open with the instance's key")
        }
        return opened
    }
}
