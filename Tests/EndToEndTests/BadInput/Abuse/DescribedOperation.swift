// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// One operation of the API's own OpenAPI document.
struct DescribedOperation: Sendable {
    let method: String
    /// Below `/v1.0/{project}`, with `{parameters}`.
    let path: String
    let parameters: [String]
    let query: [String]
    /// nil: no body is read.
    let body: JSONValue?
    let isBodyRequired: Bool

    var name: String { "\(method) \(path)" }
    var isManagement: Bool { path == "/mgmt" || path.hasPrefix("/mgmt/") }

    /// Every operation of the document that the control plane serves now, and its named schemas.
    static func read(_ plane: ControlPlane) async throws -> (operations: [DescribedOperation], schemas: SchemaAbuse) {
        let answer = try await RESTClient.send("GET", plane.url + "/v1.0/openapi.json", nil, token: nil)
        guard let document = answer.body, let paths = document["paths"]?.objectValue else {
            throw TestFailure("no OpenAPI document: \(answer.status)")
        }
        var operations: [DescribedOperation] = []
        for (path, item) in paths.sorted(by: { $0.key < $1.key }) {
            for (verb, about) in (item.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
                let parameters = about["parameters"]?.arrayValue ?? []
                func named(_ place: String) -> [String] {
                    parameters.filter { $0["in"]?.stringValue == place }.compactMap { $0["name"]?.stringValue }
                }
                operations.append(
                    DescribedOperation(
                        method: verb.uppercased(), path: path, parameters: named("path"), query: named("query"),
                        body: about["requestBody"]?["content"]?["application/json"]?["schema"],
                        isBodyRequired: about["requestBody"]?["required"] == true))
            }
        }
        return (operations, SchemaAbuse(components: document["components"]?["schemas"]?.objectValue ?? [:]))
    }

    /// The path with `values`, percent-encoded already, for its parameters; what has none is called `fallback`.
    func filled(_ values: [String: String] = [:], fallback: String) -> String {
        var filled = path
        for name in parameters {
            filled = filled.replacingOccurrences(of: "{\(name)}", with: values[name] ?? fallback)
        }
        return filled
    }

    /// Whether a request for this path could be meant for the other one.
    func overlaps(_ other: DescribedOperation) -> Bool {
        let (left, right) = (path.split(separator: "/"), other.path.split(separator: "/"))
        return left.count == right.count
            && zip(left, right).allSatisfy { $0 == $1 || $0.hasPrefix("{") || $1.hasPrefix("{") }
    }
}
