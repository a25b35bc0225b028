// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

extension PluginExtension {
    /// Offers `type` as `trove.datastore/1`; what it does not conform to is NULL in the table.
    public static func datastore(_ type: any DatastorePlugin.Type) -> PluginExtension {
        DatastoreTable.type = type
        return PluginExtension(TROVE_EXT_DATASTORE, DatastoreTable.table(for: type))
    }
}

/// A datastore and the parts of it that are optional, looked up once.
final class DatastoreBox {
    let datastore: any DatastorePlugin
    let template: (any TemplateInitialization)?
    let backup: (any BackupAccessProvision)?
    let listing: (any DatabaseListing)?
    let databases: (any DatabaseAdministration)?
    let users: (any UserAdministration)?
    let access: (any AccessAdministration)?
    let root: (any RootAdministration)?
    let configuration: (any ConfigurationAdministration)?
    let preparation: (any UpgradePreparation)?
    let upgrade: (any DataUpgrade)?
    let completion: (any UpgradeCompletion)?
    let logListing: (any LogListing)?
    let logs: (any LogAdministration)?

    init(_ datastore: any DatastorePlugin) {
        self.datastore = datastore
        template = datastore as? any TemplateInitialization
        backup = datastore as? any BackupAccessProvision
        listing = datastore as? any DatabaseListing
        databases = datastore as? any DatabaseAdministration
        users = datastore as? any UserAdministration
        access = datastore as? any AccessAdministration
        root = datastore as? any RootAdministration
        configuration = datastore as? any ConfigurationAdministration
        preparation = datastore as? any UpgradePreparation
        upgrade = datastore as? any DataUpgrade
        completion = datastore as? any UpgradeCompletion
        logListing = datastore as? any LogListing
        logs = datastore as? any LogAdministration
    }
}

/// The C table over a Swift datastore; `self` is a retained box.
enum DatastoreTable {
    // Written once in the entry function, before the table is handed out.
    nonisolated(unsafe) static var type: (any DatastorePlugin.Type)?

    /// Runs a function of the datastore behind `selfPointer` and emits the document that it returns, if any.
    static func serve(
        _ selfPointer: UnsafeMutableRawPointer?, _ handle: OpaquePointer?, _ request: trove_str,
        _ body: (DatastoreBox, JSON, Call) throws -> JSON?
    ) -> trove_status {
        TrovePluginKit.serve(handle) { call in
            guard let selfPointer else { throw PluginFailure(.internal, "the host gave no datastore") }
            let box = Unmanaged<DatastoreBox>.fromOpaque(selfPointer).takeUnretainedValue()
            if let result = try body(box, try JSON(borrowed: request), call) { try call.emit(result) }
        }
    }

    static func open(
        _ handle: OpaquePointer?, _ config: trove_str, _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> trove_status {
        TrovePluginKit.serve(handle) { call in
            guard let type, let result else { throw PluginFailure(.internal, "the plugin offers no datastore") }
            let datastore = try type.init(instance: try InstanceDocument(try JSON(borrowed: config)), call: call)
            result.pointee = Unmanaged.passRetained(DatastoreBox(datastore)).toOpaque()
        }
    }

    static func status(
        _ selfPointer: UnsafeMutableRawPointer?, _ handle: OpaquePointer?,
        _ out: UnsafeMutablePointer<trove_service_status_1>?
    ) -> trove_status {
        "{}".withTroveString { request in
            serve(selfPointer, handle, request) { box, _, call in
                guard let out, out.pointee.size >= UInt32(MemoryLayout<trove_service_status_1>.size) else {
                    throw PluginFailure(.invalidArgument, "the status has another size")
                }
                let status = try box.datastore.status(call: call)
                out.pointee.status = status.health.rawValue
                out.pointee.data_bytes = status.dataBytes
                out.pointee.connections = status.connections
                return nil
            }
        }
    }

    static func table(for type: any DatastorePlugin.Type) -> trove_datastore_1 {
        var table = trove_datastore_1()
        table.size = UInt32(MemoryLayout<trove_datastore_1>.size)
        table.open = { DatastoreTable.open($0, $1, $2) }
        table.close = { pointer in
            guard let pointer else { return }
            Unmanaged<DatastoreBox>.fromOpaque(pointer).takeRetainedValue().datastore.close()
        }
        table.prepare = { DatastoreTable.serve($0, $1, $2, prepare) }
        table.launch = { DatastoreTable.serve($0, $1, $2, launch) }
        table.started = { DatastoreTable.serve($0, $1, $2, started) }
        table.status = { DatastoreTable.status($0, $1, $2) }
        addData(to: &table, for: type)
        addAccounts(to: &table, for: type)
        addMaintenance(to: &table, for: type)
        return table
    }

    private static func addData(to table: inout trove_datastore_1, for type: any DatastorePlugin.Type) {
        if type is any TemplateInitialization.Type {
            table.initialize = { DatastoreTable.serve($0, $1, $2, initialize) }
        }
        if type is any BackupAccessProvision.Type {
            table.backup_access = { DatastoreTable.serve($0, $1, $2, backupAccess) }
        }
        if type is any DatabaseListing.Type {
            table.list_databases = { DatastoreTable.serve($0, $1, $2, listDatabases) }
        }
        if type is any DatabaseAdministration.Type {
            table.create_databases = { DatastoreTable.serve($0, $1, $2, createDatabases) }
            table.delete_database = { DatastoreTable.serve($0, $1, $2, deleteDatabase) }
        }
    }

    private static func addAccounts(to table: inout trove_datastore_1, for type: any DatastorePlugin.Type) {
        if type is any UserAdministration.Type {
            table.create_users = { DatastoreTable.serve($0, $1, $2, createUsers) }
            table.delete_user = { DatastoreTable.serve($0, $1, $2, deleteUser) }
            table.get_user = { DatastoreTable.serve($0, $1, $2, getUser) }
            table.update_user = { DatastoreTable.serve($0, $1, $2, updateUser) }
            table.list_users = { DatastoreTable.serve($0, $1, $2, listUsers) }
        }
        if type is any AccessAdministration.Type {
            table.grant_access = { DatastoreTable.serve($0, $1, $2, grantAccess) }
            table.revoke_access = { DatastoreTable.serve($0, $1, $2, revokeAccess) }
        }
        if type is any RootAdministration.Type {
            table.enable_root = { DatastoreTable.serve($0, $1, $2, enableRoot) }
            table.disable_root = { DatastoreTable.serve($0, $1, $2, disableRoot) }
            table.root_status = { DatastoreTable.serve($0, $1, $2, rootStatus) }
        }
    }

    private static func addMaintenance(to table: inout trove_datastore_1, for type: any DatastorePlugin.Type) {
        if type is any ConfigurationAdministration.Type {
            table.apply_configuration = { DatastoreTable.serve($0, $1, $2, applyConfiguration) }
        }
        if type is any UpgradePreparation.Type {
            table.pre_upgrade = { DatastoreTable.serve($0, $1, $2, preUpgrade) }
        }
        if type is any DataUpgrade.Type { table.upgrade = { DatastoreTable.serve($0, $1, $2, upgrade) } }
        if type is any UpgradeCompletion.Type {
            table.post_upgrade = { DatastoreTable.serve($0, $1, $2, postUpgrade) }
        }
        if type is any LogListing.Type { table.list_logs = { DatastoreTable.serve($0, $1, $2, listLogs) } }
        if type is any LogAdministration.Type { table.set_log = { DatastoreTable.serve($0, $1, $2, setLog) } }
    }
}

/// The part of a plugin that a table entry stands for; it is there wherever the entry is.
func present<Part>(_ part: Part?) throws -> Part {
    guard let part else { throw PluginFailure(.unsupported, "the plugin has no such operation") }
    return part
}

// One global function a table entry: JSON request in, JSON result (or none) out.

private func initialize(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.template).initialize(call: call)
    return nil
}

private func prepare(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try box.datastore.prepare(try PrepareRequest(request), call: call)
    return nil
}

private func launch(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try box.datastore.launch(call: call).json
}

private func backupAccess(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.backup).backupAccess(call: call).json
}

private func started(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try box.datastore.started(call: call)
    return nil
}

private func createDatabases(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.databases).createDatabases(try request.list("databases").map(DatabaseDocument.init), call: call)
    return nil
}

private func deleteDatabase(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.databases).deleteDatabase(try request.text("name"), call: call)
    return nil
}

private func listDatabases(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    let page = try present(box.listing).listDatabases(try PageRequest(request), call: call)
    return ["databases": .array(page.items.map(\.json)), "next": .optional(page.next)]
}

private func createUsers(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.users).createUsers(try request.list("users").map(UserDocument.init), call: call)
    return nil
}

private func deleteUser(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.users).deleteUser(try UserKey(request), call: call)
    return nil
}

private func getUser(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    let key = try UserKey(request)
    guard let user = try present(box.users).getUser(key, call: call) else {
        throw PluginFailure(.notFound, "there is no user \(key.text)")
    }
    return user.json
}

private func updateUser(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.users).updateUser(try UserUpdate(request), call: call)
    return nil
}

private func listUsers(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    let page = try present(box.users).listUsers(try PageRequest(request), call: call)
    return ["users": .array(page.items.map(\.json)), "next": .optional(page.next)]
}

private func grantAccess(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    let names = try request.list("databases").map { item in
        guard let name = item.stringValue else {
            throw PluginFailure(.invalidArgument, "the member 'databases' must be a list of names")
        }
        return name
    }
    try present(box.access).grantAccess(try UserKey(request), databases: names, call: call)
    return nil
}

private func revokeAccess(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.access).revokeAccess(try UserKey(request), database: try request.text("database"), call: call)
    return nil
}

private func enableRoot(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    let root = try present(box.root).enableRoot(password: try request.optionalText("password"), call: call)
    return ["name": .string(root.name), "password": .string(root.password)]
}

private func disableRoot(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.root).disableRoot(call: call)
    return nil
}

private func rootStatus(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    ["enabled": .bool(try present(box.root).isRootEnabled(call: call))]
}

private func applyConfiguration(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    guard let values = request["values"]?.objectValue else {
        throw PluginFailure(.invalidArgument, "the member 'values' must be an object")
    }
    let contents = try request.text("config_contents")
    let names = try present(box.configuration).applyConfiguration(values, configContents: contents, call: call)
    return ["restart_required": .array(names.map(JSON.string))]
}

private func preUpgrade(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.preparation).preUpgrade(try UpgradeRequest(request), call: call)
    return nil
}

private func upgrade(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.upgrade).upgrade(try UpgradeRequest(request), call: call)
    return nil
}

private func postUpgrade(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try present(box.completion).postUpgrade(try UpgradeRequest(request), call: call)
    return nil
}

private func listLogs(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    ["logs": .array(try present(box.logListing).listLogs(call: call).map(\.json))]
}

private func setLog(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    guard let isEnabled = request["enabled"]?.boolValue else {
        throw PluginFailure(.invalidArgument, "the member 'enabled' must be a boolean")
    }
    let isLate = try present(box.logs).setLog(try request.text("name"), isEnabled: isEnabled, call: call)
    return ["restart_required": .bool(isLate)]
}
