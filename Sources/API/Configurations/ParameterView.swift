// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Writes parameters. Source: REST contract §9.1 and §17.
enum ParameterView {
    static let list = "configuration-parameters"

    /// `{"configuration-parameters": [p]}`
    static func listing(_ catalogue: ParameterCatalogue) -> APIResponse {
        listing(catalogue) { write($0, catalogue.version, &$1) }
    }

    /// `{"configuration-parameters": [mp]}`
    static func managementListing(_ catalogue: ParameterCatalogue) -> APIResponse {
        listing(catalogue) { writeForManagement($0, catalogue.version, &$1) }
    }

    private static func listing(
        _ catalogue: ParameterCatalogue, _ write: (ConfigurationParameter, inout JSONWriter) -> Void
    ) -> APIResponse {
        .json(reserving: 256 + catalogue.parameters.count * 192) { writer in
            writer.object { writer in
                writer.key(list)
                writer.array { writer in
                    for parameter in catalogue.parameters { write(parameter, &writer) }
                }
            }
        }
    }

    static func document(_ parameter: ConfigurationParameter, _ version: DatastoreVersionRecord) -> APIResponse {
        .json { write(parameter, version, &$0) }
    }

    static func managementDocument(
        _ parameter: ConfigurationParameter, _ version: DatastoreVersionRecord
    ) -> APIResponse {
        .json { writeForManagement(parameter, version, &$0) }
    }

    /// p; a bound that is 0 is left out, as in the reference service.
    private static func write(
        _ parameter: ConfigurationParameter, _ version: DatastoreVersionRecord, _ writer: inout JSONWriter
    ) {
        writer.object { writer in
            writeCommon(parameter, version, &writer)
            if let maximum = parameter.maximum, maximum != 0 {
                writer.member("max", ConfigurationParameter.number(maximum))
            }
            if let minimum = parameter.minimum, minimum != 0 {
                writer.member("min", ConfigurationParameter.number(minimum))
            }
        }
    }

    /// mp
    private static func writeForManagement(
        _ parameter: ConfigurationParameter, _ version: DatastoreVersionRecord, _ writer: inout JSONWriter
    ) {
        writer.object { writer in
            writeCommon(parameter, version, &writer)
            writer.member("max_size", parameter.maximum.map(ConfigurationParameter.number) ?? .null)
            writer.member("min_size", parameter.minimum.map(ConfigurationParameter.number) ?? .null)
        }
    }

    private static func writeCommon(
        _ parameter: ConfigurationParameter, _ version: DatastoreVersionRecord, _ writer: inout JSONWriter
    ) {
        writer.member("name", parameter.name)
        writer.member("datastore_version_id", version.id)
        writer.member("restart_required", parameter.isRestartRequired)
        writer.member("type", parameter.type)
    }
}

extension Schema {
    /// What `ParameterView` writes.
    static let parameter = Schema.named(
        "Parameter",
        .object(
            [
                "name": .string(), "datastore_version_id": .string(), "restart_required": .boolean, "type": .string(),
                "max": .number, "min": .number,
            ], required: ["name", "datastore_version_id", "restart_required", "type"]))

    static let managedParameter = Schema.named(
        "ManagedParameter",
        .object(
            [
                "name": .string(), "datastore_version_id": .string(), "restart_required": .boolean, "type": .string(),
                "max_size": .oneOf([.number, .null]), "min_size": .oneOf([.number, .null]),
            ], required: ["name", "datastore_version_id", "restart_required", "type", "max_size", "min_size"]))
}
