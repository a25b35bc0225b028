// SPDX-License-Identifier: Apache-2.0

import Model

/// What a check with a real engine needs beside the plugin itself.
struct EngineOrder: Sendable {
    /// The library of the backup strategy, and its id; nil without one.
    var backupLibrary: String?
    var backupID: String?
    /// What the policy rendered; empty without a policy.
    var configuration: String
    var port: Int
    /// The policy's parameters.
    var parameters: [JSONValue]

    var json: JSONValue {
        [
            "backup_library": .optional(backupLibrary), "backup_id": .optional(backupID),
            "configuration": .string(configuration), "port": .int(Int64(port)), "parameters": .array(parameters),
        ]
    }

    init(json: JSONValue) {
        backupLibrary = json["backup_library"]?.stringValue
        backupID = json["backup_id"]?.stringValue
        configuration = json["configuration"]?.stringValue ?? ""
        port = json["port"]?.intValue ?? 0
        parameters = json["parameters"]?.arrayValue ?? []
    }

    init(backupLibrary: String?, backupID: String?, answers: JSONValue) {
        self.backupLibrary = backupLibrary
        self.backupID = backupID
        configuration = answers["configuration"]?["config_contents"]?.stringValue ?? ""
        port = answers["requirements"]?["ports"]?[0]?.intValue ?? 0
        parameters = answers["parameters"]?["parameters"]?.arrayValue ?? []
    }
}
