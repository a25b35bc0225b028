// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore

/// `POST /configurations` → 200, the group. Source: REST contract §9.
enum CreateConfiguration {
    static let schema = Schema.object(
        [
            "configuration": .object(
                [
                    "name": .nonEmptyText, "description": .oneOf([.nonEmptyText, .null]), "values": .map(of: .any),
                    "datastore": .object([
                        "type": .nonEmptyText, "version": .nonEmptyText, "version_number": .nonEmptyText,
                    ]),
                ], required: ["name", "values"])
        ], required: ["configuration"])

    @Sendable static func handle(_ call: APICall) async throws -> APIResponse {
        try call.require("configuration:create")
        let body = try await call.body()
        try schema.validate(body)
        let request = body["configuration"] ?? [:]
        let wanted = request["datastore"]
        let (datastore, version) = try await call.services.store.read { transaction in
            try DatastoreLookup.forCreate(
                type: wanted?["type"]?.stringValue, version: wanted?["version"]?.stringValue,
                number: wanted?["version_number"]?.stringValue, allowing: .anyVersion,
                defaultDatastore: call.configuration.defaultDatastore, transaction)
        }
        var group = ConfigurationRecord(
            id: call.services.random.uuid(), name: request["name"]?.stringValue ?? "",
            description: request["description"]?.stringValue, projectID: call.context.projectID,
            datastoreVersionID: version.id, created: call.now)
        group.datastoreName = datastore.name
        group.datastoreVersionName = version.name
        group.datastoreVersionNumber = version.number
        let traits: [String: JSONValue] = [
            "name": .string(group.name), "datastore": .string(datastore.name),
            "datastore_version": .string(version.name), "configuration_id": .string(group.id),
        ]
        let values = try await call.announcing(.configurationCreate, traits) { [group] announcement in
            let catalogue = try await ParameterCatalogue.load(version, call)
            let values = try catalogue.checked(request["values"]?.objectValue ?? [:], datastore: datastore.name)
            try await catalogue.checkTogether(values, call)
            try await call.services.store.write(.durable) { transaction in
                try transaction.configurations.insert(group)
                try transaction.configurations.put(group.id, values)
                try announcement.complete(transaction)
            }
            return values
        }
        return ConfigurationView.document(group, values: values, instanceCount: 0)
    }
}
