// SPDX-License-Identifier: Apache-2.0

package import Model

/// A reply, or a sign of life, inside its envelope.
///
/// Shape: `_msg_id` copied from the request, a fresh `_unique_id`, `result`, `failure` (null or JSON text), `ending` (false for
/// a sign of life). Source: oslo.messaging, rabbit driver.
package struct ReplyMessage: Sendable, Hashable {
    package enum Content: Sendable, Hashable {
        case result(JSONValue)
        case failure(RPCFailure)
        /// The peer broke the format; says how.
        case malformed(String)
    }

    package var messageID: String
    package var content: Content
    /// Whether nothing follows.
    package var isEnding: Bool

    package init(messageID: String, content: Content, isEnding: Bool = true) {
        self.messageID = messageID
        self.content = content
        self.isEnding = isEnding
    }

    /// The reply's body, in its envelope.
    package func body(uniqueID: String) -> [UInt8] {
        var members: [String: JSONValue] = [
            "_msg_id": .string(messageID), "_unique_id": .string(uniqueID), "ending": .bool(isEnding), "result": .null,
            "failure": .null,
        ]
        switch content {
        case .result(let value): members["result"] = value
        case .failure(let failure): members["failure"] = .string(failure.document.text)
        case .malformed(let reason):
            let failure = RPCFailure(className: "RuntimeError", module: "builtins", message: reason)
            members["failure"] = .string(failure.document.text)
        }
        return Envelope.close(members)
    }

    /// Reads a reply.
    ///
    /// - Throws: `badMessage` when it cannot even be told whose it is; what else is wrong is in `content`.
    package init(body: [UInt8]) throws(MessagingError) {
        let members = try Envelope.open(body)
        guard let messageID = members["_msg_id"]?.stringValue else {
            throw MessagingError(.badMessage, "a reply names no _msg_id")
        }
        self.messageID = messageID
        isEnding = members["ending"]?.boolValue ?? false
        switch members["failure"] {
        case .null?, .string("")?: content = .result(members["result"] ?? .null)
        case .string(let text)?:
            content = RPCFailure(text: text).map(Content.failure) ?? .malformed("the failure of a reply cannot be read")
        case nil: content = .malformed("a reply has no failure member")
        default: content = .malformed("the failure of a reply is not a string")
        }
    }
}

extension RPCFailure {
    /// The document of `failure`: `{"class", "module", "message", "tb": [], "args": [], "kwargs": {}}`.
    ///
    /// A builtin class is rebuilt by its caller from `args`, the project's own from `message`.
    package var document: JSONValue {
        [
            "class": .string(className), "module": .string(module), "message": .string(message), "tb": [],
            "args": module == "trove.common.exception" ? [] : [.string(message)], "kwargs": [:],
        ]
    }

    /// Reads the JSON text of `failure`; nil without a class and a message.
    package init?(text: String) {
        guard let document = try? JSONValue(parsing: text), let className = document["class"]?.stringValue,
            let message = document["message"]?.stringValue
        else { return nil }
        let module = document["module"]?.stringValue ?? "builtins"
        self.init(className: className, module: module == "exceptions" ? "builtins" : module, message: message)
    }

    init(_ fault: RPCFault) {
        self.init(className: fault.className, module: fault.module, message: fault.message)
    }

    /// The error that a caller gets.
    func error(method: String) -> MessagingError {
        let fault = RPCFault(className: className, module: module, message: message)
        let code: MessagingError.Code =
            switch className {
            case "NoSuchMethod" where fault.isFromDispatcher: .noSuchMethod
            case "UnsupportedVersion" where fault.isFromDispatcher: .unsupportedVersion
            default: .remote
            }
        return MessagingError(code, "\(method) failed: \(className): \(message)", failure: self)
    }
}
