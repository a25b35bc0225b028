// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import Testing

@testable import API

@Suite("OpenAPI")
struct OpenAPITests {
    @Test("every route that is served is in the document, with what it takes and answers, and nothing else is")
    func complete() async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("GET", "/things/{id}"), ("POST", "/things")])
            let response = await api.raw("GET", "/v1.0/openapi.json")
            #expect(response.status == 200 && response.contentType == "application/json")
            let document = try JSONValue(parsing: response.body)
            #expect(document["openapi"] == "3.1.0" && document["info"]?["version"] == .string(Product.version))
            #expect(document["servers"]?[0]?["url"] == "http://127.0.0.1:8779/v1.0/{project_id}")
            let paths = document["paths"]?.objectValue ?? [:]
            let described = Set(
                paths.flatMap { path, verbs in (verbs.objectValue ?? [:]).keys.map { $0.uppercased() + " " + path } })
            let served = APIResponder.coreRouteNames(hasConstantRoute: false).map { name in
                name.hasPrefix("* ") ? "GET" + name.dropFirst() : name
            }
            #expect(described.isSuperset(of: served))
            let plugins = api.plugins.routes.map { "\($0.method) \($0.path)" }
            #expect(described == Set(served).union(plugins))
            let ids = paths.values.flatMap {
                ($0.objectValue ?? [:]).values.compactMap { $0["operationId"]?.stringValue }
            }
            #expect(Set(ids).count == ids.count)
        }
    }

    @Test("every reference leads to a schema of the document")
    func references() async throws {
        try await withAPI { api in
            let response = await api.raw("GET", "/v1.0/openapi.json")
            let document = try JSONValue(parsing: response.body)
            let schemas = document["components"]?["schemas"]?.objectValue ?? [:]
            var found: Set<String> = []
            func look(_ value: JSONValue) {
                if let name = value["$ref"]?.stringValue { found.insert(name) }
                for element in value.arrayValue ?? [] { look(element) }
                for element in (value.objectValue ?? [:]).values { look(element) }
            }
            look(document)
            #expect(found == Set(schemas.keys.map { "#/components/schemas/" + $0 }))
            #expect(found.contains("#/components/schemas/Instance"))
        }
    }

    @Test("a schema is written as what it checks")
    func schema() {
        var document = SchemaDocument()
        let json = document.json(
            .object(
                [
                    "name": .nonEmptyText, "count": .integer(minimum: 1, maximum: 3),
                    "words": .enumeration(["a", "b"]),
                    "either": .oneOf([.uuid, .null]), "items": .array(of: .boolean, maximum: 2, isUnique: true),
                    "values": .map(of: .number), "thing": .named("Thing", .object([:])),
                ], required: ["name"], isClosed: true))
        #expect(
            json == [
                "type": "object", "required": ["name"], "additionalProperties": false,
                "properties": [
                    "name": ["type": "string", "minLength": 1, "maxLength": 255, "pattern": "^.*[0-9a-zA-Z]+.*$"],
                    "count": ["type": "integer", "minimum": 1, "maximum": 3],
                    "words": ["type": "string", "enum": ["a", "b"]],
                    "either": [
                        "anyOf": [
                            [
                                "type": "string", "minLength": 1, "maxLength": 64,
                                "pattern": .string(TextPattern.uuid.source),
                            ], ["type": "null"],
                        ]
                    ],
                    "items": ["type": "array", "items": ["type": "boolean"], "maxItems": 2, "uniqueItems": true],
                    "values": ["type": "object", "additionalProperties": ["type": "number"]],
                    "thing": ["$ref": "#/components/schemas/Thing"],
                ],
            ])
        #expect(document.components == ["Thing": ["type": "object"]])
    }
}
