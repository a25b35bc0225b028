// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

extension PluginExtension {
    /// Offers `type` as `trove.datastore/1`.
    public static func datastore(_ type: any DatastorePlugin.Type) -> PluginExtension {
        DatastoreTable.type = type
        return PluginExtension(TROVE_EXT_DATASTORE, DatastoreTable.table)
    }
}

/// The C table over a Swift datastore; `self` is a retained box.
private enum DatastoreTable {
    // Written once in the entry function, before the table is handed out.
    nonisolated(unsafe) static var type: (any DatastorePlugin.Type)?

    final class Box {
        let datastore: any DatastorePlugin
        init(_ datastore: any DatastorePlugin) { self.datastore = datastore }
    }

    /// Runs a function of the datastore behind `selfPointer` and emits the document that it returns, if any.
    static func serve(
        _ selfPointer: UnsafeMutableRawPointer?, _ handle: OpaquePointer?, _ request: trove_str,
        _ body: (any DatastorePlugin, JSON, Call) throws -> JSON?
    ) -> trove_status {
        TrovePluginKit.serve(handle) { call in
            guard let selfPointer else { throw PluginFailure(.internal, "the host gave no datastore") }
            let box = Unmanaged<Box>.fromOpaque(selfPointer).takeUnretainedValue()
            if let result = try body(box.datastore, try JSON(borrowed: request), call) { try call.emit(result) }
        }
    }

    static func open(
        _ handle: OpaquePointer?, _ config: trove_str, _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> trove_status {
        TrovePluginKit.serve(handle) { call in
            guard let type, let result else { throw PluginFailure(.internal, "the plugin offers no datastore") }
            let datastore = try type.init(instance: try InstanceDocument(try JSON(borrowed: config)), call: call)
            result.pointee = Unmanaged.passRetained(Box(datastore)).toOpaque()
        }
    }

    static func status(
        _ selfPointer: UnsafeMutableRawPointer?, _ handle: OpaquePointer?,
        _ out: UnsafeMutablePointer<trove_service_status_1>?
    ) -> trove_status {
        "{}".withTroveString { request in
            serve(selfPointer, handle, request) { datastore, _, call in
                guard let out, out.pointee.size >= UInt32(MemoryLayout<trove_service_status_1>.size) else {
                    throw PluginFailure(.invalidArgument, "the status has another size")
                }
                let status = try datastore.status(call: call)
                out.pointee.status = status.health.rawValue
                out.pointee.data_bytes = status.dataBytes
                out.pointee.connections = status.connections
                return nil
            }
        }
    }

    static let table = trove_datastore_1(
        size: UInt32(MemoryLayout<trove_datastore_1>.size), flags: 0,
        open: { DatastoreTable.open($0, $1, $2) },
        close: { pointer in
            guard let pointer else { return }
            Unmanaged<DatastoreTable.Box>.fromOpaque(pointer).takeRetainedValue().datastore.close()
        },
        initialize: { DatastoreTable.serve($0, $1, $2, initialize) },
        prepare: { DatastoreTable.serve($0, $1, $2, prepare) },
        launch: { DatastoreTable.serve($0, $1, $2) { datastore, _, call in try datastore.launch(call: call).json } },
        started: { DatastoreTable.serve($0, $1, $2, started) },
        status: { DatastoreTable.status($0, $1, $2) },
        backup_access: {
            DatastoreTable.serve($0, $1, $2) { datastore, _, call in try datastore.backupAccess(call: call).json }
        },
        create_databases: { DatastoreTable.serve($0, $1, $2, createDatabases) },
        delete_database: { DatastoreTable.serve($0, $1, $2, deleteDatabase) },
        list_databases: { DatastoreTable.serve($0, $1, $2, listDatabases) },
        create_users: { DatastoreTable.serve($0, $1, $2, createUsers) },
        delete_user: { DatastoreTable.serve($0, $1, $2, deleteUser) },
        get_user: { DatastoreTable.serve($0, $1, $2, getUser) },
        update_user: { DatastoreTable.serve($0, $1, $2, updateUser) },
        list_users: { DatastoreTable.serve($0, $1, $2, listUsers) },
        grant_access: { DatastoreTable.serve($0, $1, $2, grantAccess) },
        revoke_access: { DatastoreTable.serve($0, $1, $2, revokeAccess) },
        enable_root: { DatastoreTable.serve($0, $1, $2, enableRoot) },
        disable_root: { DatastoreTable.serve($0, $1, $2, disableRoot) },
        root_status: { DatastoreTable.serve($0, $1, $2, rootStatus) }
    )
}

// One global function a table entry: JSON request in, JSON result (or none) out.

private func initialize(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    try datastore.initialize(call: call)
    return nil
}

private func prepare(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    try datastore.prepare(try PrepareRequest(request), call: call)
    return nil
}

private func started(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    try datastore.started(call: call)
    return nil
}

private func createDatabases(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    try datastore.createDatabases(try request.list("databases").map(DatabaseDocument.init), call: call)
    return nil
}

private func deleteDatabase(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    try datastore.deleteDatabase(try request.text("name"), call: call)
    return nil
}

private func listDatabases(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    let page = try datastore.listDatabases(try PageRequest(request), call: call)
    return ["databases": .array(page.items.map(\.json)), "next": .optional(page.next)]
}

private func createUsers(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    try datastore.createUsers(try request.list("users").map(UserDocument.init), call: call)
    return nil
}

private func deleteUser(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    try datastore.deleteUser(try UserKey(request), call: call)
    return nil
}

private func getUser(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    let key = try UserKey(request)
    guard let user = try datastore.getUser(key, call: call) else {
        throw PluginFailure(.notFound, "there is no user \(key.text)")
    }
    return user.json
}

private func updateUser(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    try datastore.updateUser(try UserUpdate(request), call: call)
    return nil
}

private func listUsers(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    let page = try datastore.listUsers(try PageRequest(request), call: call)
    return ["users": .array(page.items.map(\.json)), "next": .optional(page.next)]
}

private func grantAccess(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    let names = try request.list("databases").map { item in
        guard let name = item.stringValue else {
            throw PluginFailure(.invalidArgument, "the member 'databases' must be a list of names")
        }
        return name
    }
    try datastore.grantAccess(try UserKey(request), databases: names, call: call)
    return nil
}

private func revokeAccess(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    try datastore.revokeAccess(try UserKey(request), database: try request.text("database"), call: call)
    return nil
}

private func enableRoot(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    let root = try datastore.enableRoot(password: try request.optionalText("password"), call: call)
    return ["name": .string(root.name), "password": .string(root.password)]
}

private func disableRoot(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    try datastore.disableRoot(call: call)
    return nil
}

private func rootStatus(_ datastore: any DatastorePlugin, _ request: JSON, _ call: Call) throws -> JSON? {
    ["enabled": .bool(try datastore.isRootEnabled(call: call))]
}
