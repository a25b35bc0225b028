// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/datastores`. Source: REST contract §10.
enum DatastoreRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/datastores",
            RouteDescription(
                "list_datastores", "Datastores that instances can have.", rule: "datastore:index",
                answer: .document("datastores", .array(of: .datastore))), list),
        Route(
            "GET", "/datastores/{datastore}",
            RouteDescription(
                "show_datastore", "One datastore, by id or name.", rule: "datastore:show",
                answer: .document("datastore", .datastore)), show),
        Route(
            "DELETE", "/datastores/{datastore}",
            RouteDescription(
                "delete_datastore", "For administrators: removes a datastore that has no versions.",
                rule: "datastore:delete", status: 202), delete),
        Route(
            nil, "/datastores/{datastore}/versions",
            RouteDescription(
                "list_datastore_versions", "Versions of a datastore.", rule: "datastore:version_index",
                answer: .document("versions", .array(of: .datastoreVersion))), versions),
        Route(
            nil, "/datastores/versions/{version}",
            RouteDescription(
                "show_datastore_version_by_id", "One version, by its id alone.",
                rule: "datastore:version_show_by_uuid", answer: .document("version", .datastoreVersion)), versionByID),
        Route(
            nil, "/datastores/{datastore}/versions/{version}",
            RouteDescription(
                "show_datastore_version", "One version, by id or name.", rule: "datastore:version_show",
                answer: .document("version", .datastoreVersion)), version),
        Route(
            "GET", "/datastores/{datastore}/versions/{version}/volume-types",
            RouteDescription(
                "list_volume_types", "Types of volume that a version's instances can have.",
                answer: .document("volume_types", .array(of: .object([:])))), volumeTypes),
    ]

    /// `{"datastores": [d]}`; others than administrators see active versions only, and no datastore without one.
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("datastore:index")
        let (datastores, versions) = try await call.services.store.read { transaction in
            (try transaction.datastores.all(), try transaction.datastores.allVersions())
        }
        let isAdmin = call.context.isAdmin
        let visible = Dictionary(grouping: versions.filter { isAdmin || $0.isActive }, by: \.datastoreID)
        let view = DatastoreView(links: call.links, isAdmin: isAdmin)
        return .json { writer in
            writer.object { writer in
                writer.key("datastores")
                writer.array { writer in
                    for datastore in datastores where isAdmin || visible[datastore.id] != nil {
                        view.write(datastore, visible[datastore.id] ?? [], &writer)
                    }
                }
            }
        }
    }

    /// `{"datastore": d}` with active versions only, for everyone.
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        try call.require("datastore:show")
        let name = call.parameter(0)
        let (datastore, versions) = try await call.services.store.read { transaction in
            let datastore = try DatastoreLookup.datastore(name, transaction)
            return (datastore, try transaction.datastores.versions(datastoreID: datastore.id))
        }
        let view = DatastoreView(links: call.links, isAdmin: call.context.isAdmin)
        return .json { writer in
            writer.object { writer in
                writer.key("datastore")
                view.write(datastore, versions.filter(\.isActive), &writer)
            }
        }
    }

    /// 202, empty. What an operator's file has always has versions.
    @Sendable private static func delete(_ call: APICall) async throws -> APIResponse {
        try call.require("datastore:delete")
        let name = call.parameter(0)
        try await call.services.store.write(.durable) { transaction in
            let datastore = try DatastoreLookup.datastore(name, transaction)
            guard try transaction.datastores.versions(datastoreID: datastore.id).isEmpty else {
                throw APIFault(400, "Datastore versions exist for datastore \(name).")
            }
            try transaction.datastores.remove(datastore.id)
        }
        return .accepted
    }

    /// `{"versions": [v]}`
    @Sendable private static func versions(_ call: APICall) async throws -> APIResponse {
        try call.require("datastore:version_index")
        let name = call.parameter(0)
        let versions = try await call.services.store.read { transaction in
            try transaction.datastores.versions(datastoreID: DatastoreLookup.datastore(name, transaction).id)
        }
        let isAdmin = call.context.isAdmin
        let view = DatastoreView(links: call.links, isAdmin: isAdmin)
        return .json { writer in
            writer.object { writer in
                writer.key("versions")
                writer.array { writer in
                    for version in versions where isAdmin || version.isActive {
                        view.write(version, namesDatastore: true, &writer)
                    }
                }
            }
        }
    }

    /// `{"version": v}`, also when it is not active.
    @Sendable private static func version(_ call: APICall) async throws -> APIResponse {
        try call.require("datastore:version_show")
        let (name, versionName) = (call.parameter(0), call.parameter(1))
        let version = try await call.services.store.read { transaction in
            let datastore = try DatastoreLookup.datastore(name, transaction)
            return try DatastoreLookup.version(versionName, of: datastore, transaction)
        }
        return document(version, call)
    }

    @Sendable private static func versionByID(_ call: APICall) async throws -> APIResponse {
        try call.require("datastore:version_show_by_uuid")
        let id = call.parameter(0)
        guard let version = try await call.services.store.read({ try $0.datastores.version(id) }) else {
            throw APIFault(.datastoreVersionNotFound, "Datastore version '\(id)' cannot be found.")
        }
        return document(version, call)
    }

    /// `{"volume_types": []}`: volumes have no types here, and `volume.type` is refused on create.
    @Sendable private static func volumeTypes(_ call: APICall) async throws -> APIResponse {
        .json { writer in writer.value(["volume_types": []]) }
    }

    private static func document(_ version: DatastoreVersionRecord, _ call: APICall) -> APIResponse {
        let view = DatastoreView(links: call.links, isAdmin: call.context.isAdmin)
        return .json { writer in
            writer.object { writer in
                writer.key("version")
                view.write(version, namesDatastore: true, &writer)
            }
        }
    }
}
