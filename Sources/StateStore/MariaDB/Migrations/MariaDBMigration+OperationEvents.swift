// SPDX-License-Identifier: Apache-2.0

extension MariaDBMigration {
    /// See SQLite's migration of this name.
    static let operationEvents = MariaDBMigration(
        number: 9, name: "operation events",
        changes: [
            .create(
                SchemaTable(
                    name: "operation_events",
                    columns: [
                        .counter("seq"), .integer("position").optional, .key("tenant_id"), .key("instance_id").optional,
                        .key("resource_id", 255), .key("operation_id"), .key("request_id", 255), .key("user_id", 255),
                        .key("flow"), .key("event"), .key("step", 255), .integer("attempt"), .text("cause").optional,
                        .integer("duration").optional, .integer("created"),
                    ],
                    primaryKey: ["seq"],
                    indexes: [
                        SchemaIndex(name: "operation_events_position", columns: ["position"], isUnique: true),
                        SchemaIndex(name: "operation_events_tenant", columns: ["tenant_id", "position"]),
                        SchemaIndex(name: "operation_events_instance", columns: ["instance_id", "position"]),
                        SchemaIndex(name: "operation_events_created", columns: ["created"]),
                        SchemaIndex(name: "operation_events_flow", columns: ["flow", "event"]),
                    ]
                )),
            .create(
                SchemaTable(
                    name: "event_positions", columns: [.key("name"), .integer("position")], primaryKey: ["name"])),
        ]
    )
}
