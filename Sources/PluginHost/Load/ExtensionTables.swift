// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// A plugin's constant tables for the extensions that this host knows, checked.
///
/// Unchecked: they are constant until the process ends.
struct ExtensionTables: @unchecked Sendable {
    private(set) var datastore: UnsafePointer<trove_datastore_1>?
    private(set) var backup: UnsafePointer<trove_backup_1>?
    private(set) var policy: UnsafePointer<trove_datastore_policy_1>?
    private(set) var routes: UnsafeBufferPointer<trove_route_1>?
    private(set) var actions: UnsafeBufferPointer<trove_action_1>?
    private(set) var moduleDriver: UnsafePointer<trove_module_driver_1>?

    private(set) var rpcPeer: UnsafePointer<trove_rpc_peer_1>?
    private(set) var tls: UnsafePointer<trove_tls_1>?

    /// What the backup strategy's flags say that it makes.
    var backupKinds: Set<BackupKind> {
        let flags = backup?.pointee.flags ?? 0
        let bits: [(BackupKind, UInt32)] = [
            (.full, UInt32(TROVE_BACKUP_FULL)), (.incremental, UInt32(TROVE_BACKUP_INCREMENTAL)),
        ]
        return Set(bits.filter { flags & $0.1 != 0 }.map(\.0))
    }

    /// Ids of the extensions that this host can use.
    static let known = [
        TROVE_EXT_DATASTORE, TROVE_EXT_BACKUP, TROVE_EXT_DATASTORE_POLICY, TROVE_EXT_API_EXTENSION, TROVE_EXT_ACTIONS,
        TROVE_EXT_MODULE_DRIVER, TROVE_EXT_RPC_PEER, TROVE_EXT_TLS,
    ]

    private let image: LibraryImage
    private let path: String

    /// Asks for everything that the manifest says the plugin provides.
    ///
    /// - Throws: `PluginRefusal` with cause `mismatch` for a missing extension, `table` for one with a wrong size or
    ///   without a function that it must have.
    init(_ image: LibraryImage, provides: [String], path: String) throws(PluginRefusal) {
        self.image = image
        self.path = path
        for id in provides { try add(id) }
    }

    private mutating func add(_ id: String) throws(PluginRefusal) {
        guard let raw = image.table(id) else {
            throw refuse(.mismatch, "provides: the manifest names \(id), the library does not have it")
        }
        switch id {
        case TROVE_EXT_DATASTORE:
            let table = try sized(raw, trove_datastore_1.self, id).pointee
            try require(
                id,
                [
                    ("open", table.open == nil), ("close", table.close == nil), ("prepare", table.prepare == nil),
                    ("launch", table.launch == nil), ("started", table.started == nil), ("status", table.status == nil),
                ])
            datastore = raw.assumingMemoryBound(to: trove_datastore_1.self)
        case TROVE_EXT_BACKUP:
            let table = try sized(raw, trove_backup_1.self, id).pointee
            try require(
                id,
                [
                    ("open", table.open == nil), ("close", table.close == nil), ("backup", table.backup == nil),
                    ("restore", table.restore == nil),
                ])
            backup = raw.assumingMemoryBound(to: trove_backup_1.self)
        case TROVE_EXT_DATASTORE_POLICY:
            let table = try sized(raw, trove_datastore_policy_1.self, id).pointee
            try require(
                id,
                [
                    ("requirements", table.requirements == nil), ("validate_create", table.validate_create == nil),
                    ("render_configuration", table.render_configuration == nil),
                ])
            policy = raw.assumingMemoryBound(to: trove_datastore_policy_1.self)
        case TROVE_EXT_RPC_PEER:
            let table = try sized(raw, trove_rpc_peer_1.self, id).pointee
            try require(id, [("handle", table.handle == nil)])
            rpcPeer = raw.assumingMemoryBound(to: trove_rpc_peer_1.self)
        case TROVE_EXT_TLS:
            let table = try sized(raw, trove_tls_1.self, id).pointee
            try require(id, [("apply", table.apply == nil), ("show", table.show == nil)])
            tls = raw.assumingMemoryBound(to: trove_tls_1.self)
        case TROVE_EXT_API_EXTENSION:
            try addRoutes(try sized(raw, trove_api_extension_1.self, id).pointee, id)
        case TROVE_EXT_ACTIONS:
            let table = try sized(raw, trove_actions_1.self, id).pointee
            guard table.count <= UInt32(ActionDeclaration.limit), table.count == 0 || table.items != nil else {
                throw refuse(.table, "\(id): no items, or more than \(ActionDeclaration.limit)")
            }
            actions = UnsafeBufferPointer(start: table.items, count: Int(table.count))
        case TROVE_EXT_MODULE_DRIVER:
            let table = try sized(raw, trove_module_driver_1.self, id).pointee
            try require(id, [("type", table.type == nil), ("apply", table.apply == nil)])
            moduleDriver = raw.assumingMemoryBound(to: trove_module_driver_1.self)
        default:
            break  // An extension of somebody else's: present, and not for this host.
        }
    }

    private mutating func addRoutes(_ table: trove_api_extension_1, _ id: String) throws(PluginRefusal) {
        guard table.count <= 1024, table.count == 0 || table.routes != nil else {
            throw refuse(.table, "\(id): no routes, or more than 1024")
        }
        let items = UnsafeBufferPointer(start: table.routes, count: Int(table.count))
        for (index, route) in items.enumerated() {
            guard route.size == UInt32(MemoryLayout<trove_route_1>.size) else {
                throw refuse(
                    .table,
                    "\(id): route \(index) has \(route.size) bytes in the plugin, \(MemoryLayout<trove_route_1>.size) here"
                )
            }
            try require(
                "\(id): route \(index)",
                [
                    ("method", route.method == nil), ("path", route.path == nil), ("policy", route.policy == nil),
                    ("handle", route.handle == nil),
                ])
        }
        routes = items
    }

    /// Every table starts with its size.
    private func sized<Table>(
        _ raw: UnsafeRawPointer, _ type: Table.Type, _ id: String
    ) throws(PluginRefusal) -> UnsafePointer<Table> {
        let size = raw.load(as: UInt32.self)
        guard size == UInt32(MemoryLayout<Table>.size) else {
            throw refuse(.table, "\(id) has \(size) bytes in the plugin, \(MemoryLayout<Table>.size) here")
        }
        return raw.assumingMemoryBound(to: Table.self)
    }

    private func require(_ what: String, _ functions: [(name: String, isMissing: Bool)]) throws(PluginRefusal) {
        guard let missing = functions.first(where: \.isMissing) else { return }
        throw refuse(.table, "\(what): \(missing.name) must not be NULL")
    }

    private func refuse(_ cause: PluginRefusal.Cause, _ message: String) -> PluginRefusal {
        PluginRefusal(path: path, id: image.id, cause: cause, message: message)
    }
}
