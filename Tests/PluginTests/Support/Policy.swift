// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import TrovePluginKit

/// The datastore's policy, asked over the C table alone.
enum Policy {
    typealias Function = @convention(c) (OpaquePointer?, trove_str) -> trove_status

    static func call(
        _ function: KeyPath<trove_datastore_policy_1, Function?>, _ request: JSON,
        image: Result<PluginImage, any Error> = PluginImage.mariaDB
    ) throws -> JSON {
        let table = try image.get().table(TROVE_EXT_DATASTORE_POLICY, trove_datastore_policy_1.self)
        guard let function = table[keyPath: function] else { throw TestProblem("the entry is NULL") }
        return try request.text.lent { request in
            try TestCall().run { token, _ in function(token, request) } ?? .null
        }
    }

    static func configuration(memoryMiB: Int, overrides: JSON = [:]) throws -> String {
        let request: JSON = [
            "version": "10.11", "memory_mb": .int(Int64(memoryMiB)), "vcpus": 1, "volume_gib": 1,
            "instance_id": "6b9d6f9e-0000-4000-8000-000000000001", "overrides": overrides,
        ]
        return try call(\.render_configuration, request).text("config_contents")
    }
}
