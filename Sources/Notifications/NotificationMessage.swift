// SPDX-License-Identifier: Apache-2.0

package import Model

/// One notification, ready to be sent.
///
/// Source: oslo.messaging, notifier; the reference service uses the priority INFO for everything, errors too.
package struct NotificationMessage: Sendable, Hashable {
    /// Keeps its value when the notification is sent again: that is how a listener tells a repeat.
    package var id: String
    package var publisherID: String
    /// Such as `dbaas.instance_create.start`.
    package var eventType: String
    package var payload: [String: JSONValue]
    package var timestamp: Timestamp
    /// On whose behalf.
    package var context: RequestContext

    package static let priority = "INFO"

    package init(
        id: String, publisherID: String, eventType: String, payload: [String: JSONValue], timestamp: Timestamp,
        context: RequestContext
    ) {
        self.id = id
        self.publisherID = publisherID
        self.eventType = eventType
        self.payload = payload
        self.timestamp = timestamp
        self.context = context
    }

    /// Shape: `{"message_id", "publisher_id", "event_type", "priority", "payload": {…}, "timestamp", "_context_…"}`. The bus
    /// adds an id of its own.
    package var members: [String: JSONValue] {
        let own: [String: JSONValue] = [
            "message_id": .string(id), "publisher_id": .string(publisherID), "event_type": .string(eventType),
            "priority": .string(Self.priority), "payload": .object(payload), "timestamp": .string(timestamp.oslo),
        ]
        return own.merging(contextMembers) { own, _ in own }
    }

    /// The context, cut as oslo.context cuts it for notifications: no token, no catalogue.
    private var contextMembers: [String: JSONValue] {
        func text(_ value: String) -> JSONValue { value.isEmpty ? .null : .string(value) }
        func word(_ value: String) -> String { value.isEmpty ? "-" : value }
        let known: [String: JSONValue] = [
            "user": text(context.userID), "project": text(context.projectID), "project_id": text(context.projectID),
            "roles": .array(context.roles.map(JSONValue.string)), "is_admin": .bool(context.isAdmin),
            "is_admin_project": true, "read_only": false, "show_deleted": false,
            "request_id": .string(context.requestID),
            "user_domain": text(context.userDomainID), "project_domain": text(context.projectDomainID),
            "user_identity": .string(
                [context.userID, context.projectID, "", context.userDomainID, context.projectDomainID].map(word)
                    .joined(separator: " ")),
        ]
        let unknown = [
            "auth_token", "domain", "global_request_id", "limit", "marker", "resource_uuid", "service_catalog",
            "system_scope",
        ]
        let members = known.merging(unknown.map { ($0, .null) }) { known, _ in known }
        return Dictionary(uniqueKeysWithValues: members.map { ("_context_" + $0.key, $0.value) })
    }
}

// MARK: - As it waits in the state store

extension NotificationMessage {
    /// Shape: `{"id", "publisher", "event", "payload", "microseconds", "request", "roles", "is_admin", and user and
    /// project with their domains}`.
    var stored: JSONValue {
        [
            "id": .string(id), "publisher": .string(publisherID), "event": .string(eventType),
            "payload": .object(payload), "microseconds": .int(timestamp.microseconds),
            "request": .string(context.requestID), "user": .string(context.userID),
            "user_name": .string(context.userName), "user_domain": .string(context.userDomainID),
            "project": .string(context.projectID), "project_domain": .string(context.projectDomainID),
            "roles": .array(context.roles.map(JSONValue.string)), "is_admin": .bool(context.isAdmin),
        ]
    }

    /// nil for what `stored` did not write.
    init?(stored: JSONValue) {
        guard let id = stored["id"]?.stringValue, let publisher = stored["publisher"]?.stringValue,
            let event = stored["event"]?.stringValue, let payload = stored["payload"]?.objectValue,
            case .int(let microseconds)? = stored["microseconds"]
        else { return nil }
        self.init(
            id: id, publisherID: publisher, eventType: event, payload: payload,
            timestamp: Timestamp(microseconds: microseconds),
            context: RequestContext(
                requestID: stored["request"]?.stringValue ?? "", userID: stored["user"]?.stringValue ?? "",
                userName: stored["user_name"]?.stringValue ?? "", projectID: stored["project"]?.stringValue ?? "",
                roles: (stored["roles"]?.arrayValue ?? []).compactMap(\.stringValue),
                isAdmin: stored["is_admin"]?.boolValue ?? false,
                userDomainID: stored["user_domain"]?.stringValue ?? "",
                projectDomainID: stored["project_domain"]?.stringValue ?? ""
            )
        )
    }
}

// MARK: - Times

extension Timestamp {
    /// `YYYY-MM-DD HH:MM:SS.ffffff`, the form of a notification's own time.
    var oslo: String { raw.replacingFirst("T", with: " ") }

    /// `YYYY-MM-DDTHH:MM:SS.ffffff`, a date of the state store as upstream shows it.
    var raw: String {
        let digits = String(((microseconds % 1_000_000) + 1_000_000) % 1_000_000)
        return text + "." + String(repeating: "0", count: 6 - digits.count) + digits
    }

    /// `YYYY-MM-DDTHH:MM:SSZ`, the form of usage events.
    var zoned: String { description }
}

extension String {
    fileprivate func replacingFirst(_ character: Character, with other: Character) -> String {
        guard let index = firstIndex(of: character) else { return self }
        var text = self
        text.replaceSubrange(index...index, with: String(other))
        return text
    }
}
