// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore

/// `/mgmt/datastore-versions`, for administrators. Source: REST contract §17.
///
/// A version that an operator's file names is the file's: it is shown here and changed there.
enum DatastoreVersionManagementRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "POST", "/mgmt/datastore-versions",
            RouteDescription(
                "create_datastore_version",
                "For administrators: makes a version, and its datastore where there is none of the name.",
                body: ManagedVersionRequest.createSchema, status: 202, faults: [401]), create),
        Route(
            "GET", "/mgmt/datastore-versions",
            RouteDescription(
                "list_managed_datastore_versions", "For administrators: every version, inactive ones too.",
                answer: .document("versions", .array(of: .managedDatastoreVersion)), faults: [401]), list),
        Route(
            "GET", "/mgmt/datastore-versions/{id}",
            RouteDescription(
                "show_managed_datastore_version", "For administrators: one version.",
                answer: .document("version", .managedDatastoreVersion), faults: [401]), show),
        Route(
            "PATCH", "/mgmt/datastore-versions/{id}",
            RouteDescription(
                "edit_datastore_version", "For administrators: changes what the body names.",
                body: ManagedVersionRequest.patchSchema, status: 202, faults: [401, 409]), patch),
        Route(
            "DELETE", "/mgmt/datastore-versions/{id}",
            RouteDescription(
                "delete_datastore_version", "For administrators: removes a version that nothing is of.", status: 202,
                faults: [401, 409]), delete),
    ]

    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let (datastores, versions) = try await call.services.store.read { transaction in
            (try transaction.datastores.all(), try transaction.datastores.allVersions())
        }
        let owners = Dictionary(datastores.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return .json(reserving: 256 + versions.count * 512) { writer in
            writer.object { writer in
                writer.key("versions")
                writer.array { writer in
                    for version in versions {
                        guard let datastore = owners[version.datastoreID] else { continue }
                        ManagedVersionView.write(version, of: datastore, &writer)
                    }
                }
            }
        }
    }

    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        let (version, datastore) = try await call.services.store.read { try find(id, $0) }
        return .json { writer in
            writer.object { writer in
                writer.key("version")
                ManagedVersionView.write(version, of: datastore, &writer)
            }
        }
    }

    /// 202, really empty: clients read a body of any kind.
    @Sendable private static func create(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let body = try await call.body()
        try ManagedVersionRequest.createSchema.validate(body)
        let request = ManagedVersionRequest(body["version"] ?? [:])
        let managers = DatastoreManagers(plugins: await call.services.plugins.plugins)
        try await call.services.store.write(.durable) { transaction in
            try create(request, managers, call, transaction)
        }
        return .accepted
    }

    private static func create(
        _ request: ManagedVersionRequest, _ managers: DatastoreManagers, _ call: APICall,
        _ transaction: any StateTransaction
    ) throws {
        let (datastoreName, name) = (request.datastoreName ?? "", request.name ?? "")
        let number = request.number ?? name
        let random = call.services.random
        var datastore = try transaction.datastores.find(idOrName: datastoreName)
        if let datastore {
            try requireFree(name, number, of: datastore, transaction)
        } else {
            let id = try transaction.datastores.removedID(name: datastoreName) ?? random.uuid()
            let made = DatastoreRecord(id: id, name: datastoreName, defaultVersionID: nil)
            try transaction.datastores.upsert(made)
            datastore = made
        }
        guard let datastore else { return }
        var version = DatastoreVersionRecord(
            id: random.uuid(), datastoreID: datastore.id, name: name, number: number,
            isActive: request.isActive ?? false, packages: [], plugins: [:])
        try request.apply(to: &version, manager: request.manager ?? "", managers, transaction)
        try transaction.datastores.upsert(version)
        if request.isDefault == true { try makeDefault(version, of: datastore, transaction) }
    }

    @Sendable private static func patch(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        let body = try await call.body()
        try ManagedVersionRequest.patchSchema.validate(body)
        let request = ManagedVersionRequest(body)
        let managers = DatastoreManagers(plugins: await call.services.plugins.plugins)
        try await call.services.store.write(.durable) { transaction in
            var (version, datastore) = try find(id, transaction)
            try refuseFile(version)
            if let name = request.name, name != version.name {
                try requireFree(name, version.number, of: datastore, transaction)
                version.name = name
            }
            version.isActive = request.isActive ?? version.isActive
            let manager = request.manager ?? version.manager ?? datastore.name
            try request.apply(to: &version, manager: manager, managers, transaction)
            try transaction.datastores.upsert(version)
            if request.isDefault == true { try makeDefault(version, of: datastore, transaction) }
            if request.isDefault == false, datastore.defaultVersionID == version.id {
                datastore.defaultVersionID = nil
                try transaction.datastores.upsert(datastore)
            }
        }
        return .accepted
    }

    @Sendable private static func delete(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        try await call.services.store.write(.durable) { transaction in
            let (version, _) = try find(id, transaction)
            try refuseFile(version)
            let users = try transaction.datastores.users(ofVersion: id)
            let nouns = [
                (users.instances, "instance"), (users.backups, "backup"), (users.configurations, "configuration"),
            ]
            for (isUsed, noun) in nouns where isUsed {
                throw APIFault(400, "Datastore version is in use by \(noun).")
            }
            try transaction.datastores.removeVersion(id)
        }
        return .accepted
    }

    // MARK: - Rules

    private static func find(
        _ id: String, _ transaction: any StateTransaction
    ) throws -> (DatastoreVersionRecord, DatastoreRecord) {
        guard let version = try transaction.datastores.version(id),
            let datastore = try transaction.datastores.find(idOrName: version.datastoreID)
        else { throw APIFault(.datastoreVersionNotFound, "Datastore version '\(id)' cannot be found.") }
        return (version, datastore)
    }

    /// The next start or reload would undo what is changed here.
    private static func refuseFile(_ version: DatastoreVersionRecord) throws(APIFault) {
        guard let file = version.sourceFile else { return }
        throw APIFault(
            409, "Datastore version '\(version.name)' is from the operator's file datastores/\(file); change it there.")
    }

    private static func requireFree(
        _ name: String, _ number: String, of datastore: DatastoreRecord, _ transaction: any StateTransaction
    ) throws {
        let versions = try transaction.datastores.versions(datastoreID: datastore.id)
        guard !versions.contains(where: { $0.name == name && $0.number == number }) else {
            throw APIFault(400, "The datastore version '\(name)(\(number))' already exists.")
        }
    }

    private static func makeDefault(
        _ version: DatastoreVersionRecord, of datastore: DatastoreRecord, _ transaction: any StateTransaction
    ) throws {
        guard version.isActive else {
            throw APIFault(.datastoreVersionInactive, "Datastore version '\(version.name)' is not active.")
        }
        if let id = datastore.defaultVersionID, let file = try transaction.datastores.version(id)?.sourceFile {
            throw APIFault(
                409,
                "The default version of datastore '\(datastore.name)' is from the operator's file datastores/\(file);"
                    + " change it there.")
        }
        var datastore = datastore
        datastore.defaultVersionID = version.id
        try transaction.datastores.upsert(datastore)
    }
}
