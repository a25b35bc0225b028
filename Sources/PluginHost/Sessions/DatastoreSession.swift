// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
package import Model

/// One instance's datastore, opened through `trove.datastore/1`. Calls run one after the other.
package final class DatastoreSession: Sendable {
    private let opened: OpenedSelf
    private let table: TablePointer<trove_datastore_1>

    private init(opened: OpenedSelf, table: TablePointer<trove_datastore_1>) {
        self.opened = opened
        self.table = table
    }

    /// The plugin's id and version.
    package var plugin: PluginDescription { opened.plugin.description }

    /// Makes the plugin's state for an instance.
    ///
    /// - Parameters:
    ///   - reference: `id` or `id@version`.
    ///   - config: The instance document.
    /// - Throws: `notFound` without such a plugin (the message says why), `unsupported` if it is no datastore, and what
    ///   the plugin reports.
    package static func open(
        _ registry: PluginRegistry, reference: String, config: JSONValue, options: CallOptions
    ) async throws(PluginError) -> DatastoreSession {
        let plugin = try registry.require(reference)
        guard let table = plugin.tables.datastore, let open = table.pointee.open, let close = table.pointee.close else {
            throw PluginError(.unsupported, pluginID: plugin.manifest.id, "does not provide \(TROVE_EXT_DATASTORE)")
        }
        let opened = try await OpenedSelf.open(
            plugin, "datastore.open", config: config.serialized, options: options, open: open, close: close)
        return DatastoreSession(opened: opened, table: TablePointer(table))
    }

    /// Runs one function of the table.
    ///
    /// - Returns: The document that the plugin emitted, `null` without one.
    /// - Throws: `unsupported` for a function that the plugin does not have; what the plugin reports; `timedOut`,
    ///   `cancelled`; `unavailable` after a call that did not stop.
    package func call(
        _ function: DatastoreFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        let name = "datastore.\(function.rawValue)"
        guard let entry = Self.entry(function, table.pointer.pointee) else {
            throw PluginError(.unsupported, pluginID: opened.plugin.host.id, "has no \(function.rawValue)")
        }
        let bytes = request.serialized
        let output = try await opened.perform(name, options) { own, call, token in
            entry(own.pointer, token, call.borrow(bytes))
        }
        return try Document.parse(output, name, opened.plugin.host.id)
    }

    /// Runs one function of `trove.tls/1`.
    ///
    /// - Throws: As `call`; `unsupported` for a plugin without that table.
    package func tls(
        _ function: TLSFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        let name = "tls.\(function.rawValue)"
        guard let table = opened.plugin.tables.tls?.pointee else {
            throw PluginError(.unsupported, pluginID: opened.plugin.host.id, "does not provide \(TROVE_EXT_TLS)")
        }
        let found: Entry? =
            switch function {
            case .apply: table.apply
            case .show: table.show
            }
        guard let entry = found else {
            throw PluginError(.unsupported, pluginID: opened.plugin.host.id, "has no \(name)")
        }
        let bytes = request.serialized
        let output = try await opened.perform(name, options) { own, call, token in
            entry(own.pointer, token, call.borrow(bytes))
        }
        return try Document.parse(output, name, opened.plugin.host.id)
    }

    /// The engine as the plugin sees it.
    package func status(_ options: CallOptions) async throws(PluginError) -> EngineStatus {
        guard let entry = table.pointer.pointee.status else {
            throw PluginError(.unsupported, pluginID: opened.plugin.host.id, "has no status")
        }
        let left = Left<EngineStatus>()
        _ = try await opened.perform("datastore.status", options) { own, call, token in
            let slot = OutputSlot(in: call, of: trove_service_status_1.self)
            slot.pointer.pointee.size = UInt32(MemoryLayout<trove_service_status_1>.size)
            call.atEnd { left.value = Self.status(slot.pointer.pointee) }
            return entry(own.pointer, token, slot.pointer)
        }
        return left.value ?? EngineStatus(health: .unknown, dataBytes: nil, connections: 0)
    }

    /// Lets the plugin free its state, after the calls that were asked for before. The engine goes on. A repeat does
    /// nothing.
    package func close() async {
        await opened.close("datastore.close", grace: opened.plugin.host.cancellationGrace)
    }

    private static func status(_ raw: trove_service_status_1) -> EngineStatus {
        EngineStatus(
            health: EngineStatus.Health(rawValue: raw.status) ?? .unknown,
            dataBytes: raw.data_bytes == 0 ? nil : Int(clamping: raw.data_bytes),
            connections: Int(raw.connections)
        )
    }

    private typealias Entry = @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, trove_str) -> trove_status

    private static func entry(_ function: DatastoreFunction, _ table: trove_datastore_1) -> Entry? {
        switch function {
        case .initialize: table.initialize
        case .prepare: table.prepare
        case .launch: table.launch
        case .started: table.started
        case .backupAccess: table.backup_access
        case .createDatabases: table.create_databases
        case .deleteDatabase: table.delete_database
        case .listDatabases: table.list_databases
        case .createUsers: table.create_users
        case .deleteUser: table.delete_user
        case .getUser: table.get_user
        case .updateUser: table.update_user
        case .listUsers: table.list_users
        case .grantAccess: table.grant_access
        case .revokeAccess: table.revoke_access
        case .enableRoot: table.enable_root
        case .disableRoot: table.disable_root
        case .rootStatus: table.root_status
        case .applyConfiguration: table.apply_configuration
        case .listLogs: table.list_logs
        case .setLog: table.set_log
        case .preUpgrade: table.pre_upgrade
        case .upgrade: table.upgrade
        case .postUpgrade: table.post_upgrade
        }
    }
}

/// A plugin's constant table.
///
/// Unchecked: constant until the process ends.
struct TablePointer<Table>: @unchecked Sendable {
    let pointer: UnsafePointer<Table>
    init(_ pointer: UnsafePointer<Table>) { self.pointer = pointer }
}

/// What plugins emit.
enum Document {
    /// One JSON value; `null` for no bytes.
    static func parse(_ bytes: [UInt8], _ function: String, _ pluginID: String) throws(PluginError) -> JSONValue {
        guard !bytes.isEmpty else { return .null }
        do { return try JSONValue(parsing: bytes) } catch {
            throw PluginError(.internal, pluginID: pluginID, "\(function) emitted no JSON value: \(error.message)")
        }
    }
}
