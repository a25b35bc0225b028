// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model

/// What is asked of a log.
struct LogRequest: Sendable {
    let name: String
    let isEnable: Bool
    let isDisable: Bool
    let isPublish: Bool
    let isDiscard: Bool

    init(_ arguments: [String: JSONValue]) throws {
        name = try arguments.text("log_name", method: GuestVerb.guestLogAction.rawValue)
        func flag(_ name: String) -> Bool { arguments[name]?.boolValue ?? (arguments[name]?.intValue == 1) }
        isEnable = flag("enable")
        isDisable = flag("disable")
        isPublish = flag("publish")
        isDiscard = flag("discard")
        guard !isEnable || !isDisable else {
            throw RPCFault(className: "BadRequest", message: "Cannot enable and disable log '\(name)'.")
        }
    }

    /// As the reference service's refusals name it.
    var action: String {
        isEnable ? "enable" : isDisable ? "disable" : isPublish ? "publish" : isDiscard ? "discard" : "show"
    }
}

/// A log as the datastore's plugin tells of it: an item of the document log-list.
struct EngineLogDescription: Sendable, Hashable {
    let name: String
    /// Absolute.
    let file: String
    /// Whether its instance's owner decides about it; otherwise it is always on, and administrators' alone.
    let isUser: Bool
    var isEnabled: Bool

    init(name: String, file: String, isUser: Bool, isEnabled: Bool) {
        self.name = name
        self.file = file
        self.isUser = isUser
        self.isEnabled = isEnabled
    }

    init(_ json: JSONValue) throws(GuestAgentError) {
        guard let name = json["name"]?.stringValue, Self.isName(name), let file = json["file"]?.stringValue,
            let type = json["type"]?.stringValue
        else { throw GuestAgentError(.invalid, "the datastore's list of logs cannot be understood") }
        self.init(
            name: name, file: file, isUser: type == "user", isEnabled: json["enabled"]?.boolValue ?? (type != "user"))
    }

    /// It becomes part of names of files and objects.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    func isVisible(to context: RequestContext) -> Bool { isUser || context.isAdmin }

    /// Throws unless the caller may ask for this. Source: `guest_log_action` of the reference service.
    func check(_ request: LogRequest, _ context: RequestContext) throws {
        guard isVisible(to: context) else {
            throw RPCFault(
                className: "LogAccessForbidden", message: "You must be admin to \(request.action) log '\(name)'.")
        }
        guard isUser || !(request.isEnable || request.isDisable) else {
            throw RPCFault(className: "BadRequest", message: "Cannot \(request.action) a SYSTEM log ('\(name)').")
        }
    }

    /// Source: guest logs of the reference service.
    ///
    /// - Parameter bytes: Of the file; 0 without one.
    func status(_ bytes: Int, _ record: LogRecord, isRotated: Bool) -> String {
        guard bytes > 0, isEnabled else { return !isUser ? "Unavailable" : isEnabled ? "Enabled" : "Disabled" }
        if isRotated { return "Rotated" }
        if record.publishedBytes == 0 { return "Ready" }
        return record.publishedBytes < bytes ? "Partial" : "Published"
    }
}
