// SPDX-License-Identifier: Apache-2.0

package import Model

/// A request inside its envelope.
///
/// Shape: `method`, `args`, `version`, `_unique_id`, `_context_…`; a call also has `_msg_id`, `_reply_q` and `_timeout`.
/// Source: oslo.messaging, rabbit driver.
package struct RequestMessage: Sendable {
    package var method: String
    package var arguments: [String: JSONValue]
    package var version: String
    package var context: RequestContext
    /// 32 hex digits that a repeated delivery shares; nil from senders that do not care.
    package var uniqueID: String?
    /// Correlates the reply; its presence makes the request a call.
    package var messageID: String?
    /// Queue that the reply goes to; a call without one is run and not answered.
    package var replyQueue: String?
    /// Seconds within which the caller wants a sign of life; nil when it does not.
    package var monitorSeconds: Int?
    /// What is wrong with a request that can be read well enough to be answered.
    package var fault: RPCFault?

    package init(
        method: String, arguments: [String: JSONValue], version: String, context: RequestContext, uniqueID: String,
        messageID: String? = nil, replyQueue: String? = nil, monitorSeconds: Int? = nil
    ) {
        self.method = method
        self.arguments = arguments
        self.version = version
        self.context = context
        self.uniqueID = uniqueID
        self.messageID = messageID
        self.replyQueue = replyQueue
        self.monitorSeconds = monitorSeconds
    }

    /// The message's body, in its envelope.
    package var body: [UInt8] { Envelope.close(members) }

    /// What stands in the envelope.
    package var members: [String: JSONValue] {
        var members = ContextKeys.members(context)
        members["method"] = .string(method)
        members["args"] = .object(arguments)
        members["version"] = .string(version)
        members["_unique_id"] = .optional(uniqueID)
        if let messageID {
            members["_msg_id"] = .string(messageID)
            members["_reply_q"] = .optional(replyQueue)
            members["_timeout"] = .optional(monitorSeconds)
        }
        return members
    }

    /// Reads a request.
    ///
    /// - Throws: `badMessage` for what cannot even be answered: no envelope that can be read, or no method.
    package init(body: [UInt8], requestID: @autoclosure () -> String) throws(MessagingError) {
        try self.init(members: try Envelope.open(body), requestID: requestID())
    }

    /// Reads what stood in the envelope.
    ///
    /// - Throws: `badMessage` without a method.
    package init(members: [String: JSONValue], requestID: @autoclosure () -> String) throws(MessagingError) {
        guard let method = members["method"]?.stringValue else {
            throw MessagingError(.badMessage, "a request names no method")
        }
        self.method = method
        arguments = members["args"]?.objectValue ?? [:]
        context = ContextKeys.context(members, requestID: requestID())
        uniqueID = members["_unique_id"]?.stringValue
        messageID = members["_msg_id"]?.stringValue
        replyQueue = members["_reply_q"]?.stringValue
        monitorSeconds = members["_timeout"]?.intValue
        let asked = members["version"] ?? "1.0"
        version = asked.stringValue ?? asked.text
        let hasNamespace = members["namespace"].map { !$0.isNull } ?? false
        if hasNamespace || asked.stringValue == nil || RPCVersion(version) == nil {
            fault = .unsupportedVersion(version, method: method)
        } else if let args = members["args"], args.objectValue == nil {
            fault = RPCFault(className: "AttributeError", module: "builtins", message: "args is not an object")
        }
    }
}
