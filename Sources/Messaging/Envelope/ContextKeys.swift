// SPDX-License-Identifier: Apache-2.0

import Model

/// A request's context as members of its message, each with `_context_` in front.
///
/// Source: context of the reference service; a receiver takes the keys it knows and ignores the rest, all are optional.
enum ContextKeys {
    private static let prefix = "_context_"

    static func members(_ context: RequestContext) -> [String: JSONValue] {
        [
            prefix + "request_id": .string(context.requestID),
            prefix + "user": text(context.userID),
            prefix + "user_name": text(context.userName),
            prefix + "project_id": text(context.projectID),
            prefix + "project": text(context.projectID),
            prefix + "user_domain": text(context.userDomainID),
            prefix + "project_domain": text(context.projectDomainID),
            prefix + "roles": .array(context.roles.map(JSONValue.string)),
            prefix + "is_admin": .bool(context.isAdmin),
        ]
    }

    /// Reads the context from a message; without a request id, under `requestID`.
    static func context(_ message: [String: JSONValue], requestID: @autoclosure () -> String) -> RequestContext {
        func value(_ names: String...) -> String {
            for name in names {
                if let text = message[prefix + name]?.stringValue, !text.isEmpty { return text }
            }
            return ""
        }
        let carried = value("request_id")
        return RequestContext(
            requestID: carried.isEmpty ? requestID() : carried,
            userID: value("user", "user_id"), userName: value("user_name"),
            projectID: value("project_id", "project", "tenant"),
            roles: (message[prefix + "roles"]?.arrayValue ?? []).compactMap(\.stringValue),
            isAdmin: message[prefix + "is_admin"]?.boolValue ?? false, userDomainID: value("user_domain"),
            projectDomainID: value("project_domain")
        )
    }

    private static func text(_ value: String) -> JSONValue { value.isEmpty ? .null : .string(value) }
}
