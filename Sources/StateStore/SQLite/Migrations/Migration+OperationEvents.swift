// SPDX-License-Identifier: Apache-2.0

extension Migration {
    /// What the journal recorded, for those who follow a project. `position` is NULL until the events before it are known to be
    /// all there: see `OperationEventRepository`.
    static let operationEvents = Migration(
        number: 9,
        name: "operation events",
        statements: [
            """
            CREATE TABLE operation_events (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                position INTEGER UNIQUE,
                tenant_id TEXT NOT NULL,
                instance_id TEXT,
                resource_id TEXT NOT NULL,
                operation_id TEXT NOT NULL,
                request_id TEXT NOT NULL,
                user_id TEXT NOT NULL,
                flow TEXT NOT NULL,
                event TEXT NOT NULL,
                step TEXT NOT NULL,
                attempt INTEGER NOT NULL,
                cause TEXT,
                duration INTEGER,
                created INTEGER NOT NULL
            ) STRICT
            """,
            "CREATE INDEX operation_events_tenant ON operation_events (tenant_id, position)",
            "CREATE INDEX operation_events_instance ON operation_events (instance_id, position)",
            "CREATE INDEX operation_events_created ON operation_events (created)",
            "CREATE INDEX operation_events_flow ON operation_events (flow, event)",
            """
            CREATE TABLE event_positions (
                name TEXT NOT NULL PRIMARY KEY,
                position INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
        ]
    )
}
