// SPDX-License-Identifier: Apache-2.0

import Model

extension ReferenceDatabase {
    /// Live configuration groups with their values.
    static func groups(_ connection: any StateConnection) throws -> [ConfigurationGroup] {
        let rows = try connection.query(
            """
            SELECT q.configuration_id, q.configuration_key, q.configuration_value, p.data_type
            FROM configuration_parameters q JOIN configurations c ON c.id = q.configuration_id
            LEFT JOIN datastore_configuration_parameters p
                ON p.datastore_version_id = c.datastore_version_id AND p.name = q.configuration_key AND p.deleted = 0
            WHERE c.deleted = 0 AND q.deleted = 0 AND q.configuration_value IS NOT NULL
            """, []
        ) { row in
            var reader = RowReader(row)
            let (group, name, text) = (try reader.text(), try reader.text(), try reader.text())
            return (group: group, name: name, value: value(text, type: try reader.optionalText() ?? ""))
        }
        let values = Dictionary(grouping: rows, by: \.group)
        return try connection.query(
            """
            SELECT id, name, description, tenant_id, datastore_version_id, \(time("created")), \(time("updated"))
            FROM configurations WHERE deleted = 0 AND tenant_id IS NOT NULL ORDER BY id
            """, []
        ) { row in
            var reader = RowReader(row)
            var record = ConfigurationRecord(
                id: try reader.text(), name: try reader.text(), description: try reader.optionalText(),
                projectID: try reader.text(), datastoreVersionID: try reader.text(), created: try reader.time())
            record.updated = try reader.time()
            let own = (values[record.id] ?? []).map { ($0.name, $0.value) }
            return ConfigurationGroup(record: record, values: Dictionary(own) { _, last in last })
        }
    }

    /// There every value is a text, and its kind stands with the parameter.
    private static func value(_ text: String, type: String) -> JSONValue {
        switch type {
        case "string": .string(text)
        case "boolean": .bool(["1", "true"].contains(text.lowercased()))
        case "float": Double(text).map(JSONValue.double) ?? .string(text)
        default: Int64(text).map(JSONValue.int) ?? .string(text)
        }
    }
}
