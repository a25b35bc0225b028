// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore
import Testing

@testable import Notifications

@Suite("NotificationMessage")
struct NotificationMessageTests {
    @Test("it has the members that oslo.messaging's notifier sends, and the cut context")
    func members() {
        let message = Fixture().message(1)
        let members = message.members
        let captured: Set<String> = [
            "_context_auth_token", "_context_domain", "_context_global_request_id", "_context_is_admin",
            "_context_is_admin_project", "_context_limit", "_context_marker", "_context_project",
            "_context_project_domain", "_context_project_id", "_context_read_only", "_context_request_id",
            "_context_resource_uuid", "_context_roles", "_context_service_catalog", "_context_show_deleted",
            "_context_system_scope", "_context_user", "_context_user_domain", "_context_user_identity", "event_type",
            "message_id", "payload", "priority", "publisher_id", "timestamp",
        ]
        #expect(Set(members.keys) == captured)
        #expect(members["_context_user_identity"] == "u-1 p-1 - - -")
        #expect(members["_context_roles"] == ["member"])
        #expect(members["priority"] == "INFO")
        #expect(members["timestamp"] == "2020-09-13 12:26:40.000000")
        #expect(message.id.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
    }

    @Test("a time has six digits of a second")
    func times() {
        let time = Timestamp(microseconds: 1_600_000_000_000_042)
        #expect(time.oslo == "2020-09-13 12:26:40.000042")
        #expect(time.raw == "2020-09-13T12:26:40.000042")
        #expect(time.zoned == "2020-09-13T12:26:40Z")
    }

    @Test("what waits in the state store is what was made")
    func stored() throws {
        let message = Fixture().message(1)
        let stored = try JSONValue(parsing: message.stored.text)
        #expect(NotificationMessage(stored: stored) == message)
        #expect(NotificationMessage(stored: ["id": "x"]) == nil)
    }
}
