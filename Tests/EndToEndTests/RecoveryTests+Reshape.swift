// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

/// Drills of the operations that give an instance another size, version or server.
extension EndToEnd.RecoveryTests {
    /// Each drill of the volume asks for one GiB more than it has, each of the flavor for the other one of two.
    func reshape(_ operation: Operation, _ client: RESTClient, _ id: String) async throws {
        let shown = try await client.must("GET", "/instances/\(id)")["instance"] ?? .null
        switch operation {
        case .growVolume:
            let size = Int64((shown["volume"]?["size"]?.intValue ?? 0) + 1)
            try await client.must("POST", "/instances/\(id)/action", ["resize": ["volume": ["size": .int(size)]]])
        case .changeFlavor:
            let flavor: JSONValue = shown["flavor"]?["id"] == "2" ? "1" : "2"
            try await client.must("POST", "/instances/\(id)/action", ["resize": ["flavorRef": flavor]])
        case .upgrade:
            try await client.must("PUT", "/instances/\(id)", ["instance": ["datastore_version": "10.11"]])
        default:
            let versions = try await client.must("GET", "/mgmt/datastore-versions")["versions"]?.arrayValue ?? []
            let own = versions.first { $0["name"] == "10.11" && $0["datastore_name"] == "mariadb" }?["id"]
            try await client.must(
                "POST", "/mgmt/instances/\(id)/action", ["rebuild": ["image_id": try #require(own)]])
        }
    }

    func finishReshape(_ client: RESTClient, _ id: String) async throws {
        let shown = try await client.wait(id, for: "ACTIVE", seconds: 240)
        #expect(shown["fault"] == nil, "\(shown["fault"]?.text ?? "")")
        try await eventually(60, "the engine is healthy") {
            try await client.must("GET", "/instances/\(id)")["instance"]?["operating_status"] == "HEALTHY"
        }
        let rows = try await SQL.run(
            try SQL.address(shown), user: "clerk", password: "s3cret", database: "shop", "SELECT n FROM t")
        #expect(rows == "7")
    }
}
