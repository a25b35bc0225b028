// SPDX-License-Identifier: Apache-2.0

import API
import Model
import PluginHost
import StateStore
import Testing

/// Runs `body` with an API whose datastore has five parameters.
func withConfigurations(_ body: (APIFixture) async throws -> Void) async throws {
    var configuration = APIFixture.configuration
    configuration.operationPatience = .milliseconds(50)
    try await withAPI(configuration) { api in
        api.plugins.onPolicy { function, request throws(PluginError) in
            switch function {
            case .requirements:
                return ["ports": [1], "volume": ["required": true, "minimum_gib": 1], "memory_mb_minimum": 256]
            case .parameters: return ["parameters": .array(testParameters)]
            case .validateConfiguration:
                guard request["values"]?["mode"] != nil, request["values"]?["on"] != nil else { return [:] }
                throw PluginError(.invalidArgument, "These two do not go together.")
            case .renderConfiguration:
                guard request["overrides"]?["max_things"] != 99 else {
                    throw PluginError(.invalidArgument, "The flavor has no room for 99 things.")
                }
                return ["config_contents": "# made\n[server]\nmax_things = 10\nname 'a b'\nempty=\n"]
            default: return [:]
            }
        }
        try await body(api)
    }
}

private let testParameters: [JSONValue] = [
    ["name": "max_things", "type": "integer", "minimum": 1, "maximum": 100, "restart_required": false],
    ["name": "ratio", "type": "float", "minimum": 0, "maximum": 2.5, "restart_required": false],
    ["name": "on", "type": "boolean", "restart_required": false],
    ["name": "mode", "type": "string", "enum": ["fast", "safe"], "restart_required": true],
    ["name": "admin_password", "type": "string", "restart_required": false],
]

extension APIFixture {
    /// Makes a group of the default version; its id.
    func group(_ values: JSONValue, as token: String = "alice") async throws -> String {
        let body: JSONValue = ["configuration": ["name": "g", "values": values]]
        let response = await send("POST", "/configurations", as: token, body: body)
        return try #require(response.json["configuration"]?["id"]?.stringValue, "\(response.fault)")
    }

    func values(_ id: String) async throws -> JSONValue? {
        await send("GET", "/configurations/\(id)").json["configuration"]?["values"]
    }

    /// Ends the live operations on an instance, as a task manager does.
    func endOperations(on id: String, error: String? = nil) async throws {
        try await store.write(.relaxed) { transaction in
            while let row = try transaction.journal.claim(
                owner: "t", host: nil, lease: .seconds(30), excluding: [], stealing: [])
            {
                try transaction.journal.finish(
                    row.id, fence: row.fence, state: error == nil ? .done : .failed, error: error,
                    now: try transaction.now)
            }
        }
    }
}
