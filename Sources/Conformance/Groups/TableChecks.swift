// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model
import PluginHost

/// Checks one table's layout and what it must have; tells which verbs it has.
struct TableChecks {
    let order: ChildOrder
    let id: String
    let table: UnsafeRawPointer

    private var reporter: ChildReporter { .shared }

    /// - Returns: Whether functions of the table may be called.
    func run() -> Bool {
        let (found, wanted) = (table.load(as: UInt32.self), UInt32(TableLayout.size(id)))
        guard found == wanted else {
            reporter.fail("table.size", "The table of \(id) has the size \(found), not \(wanted); use sizeof.")
            return false
        }
        switch id {
        case TROVE_EXT_DATASTORE: return datastore(table.load(as: trove_datastore_1.self))
        case TROVE_EXT_DATASTORE_POLICY: return policy(table.load(as: trove_datastore_policy_1.self))
        case TROVE_EXT_BACKUP: return backup(table.load(as: trove_backup_1.self))
        case TROVE_EXT_API_EXTENSION:
            return RouteTableChecks(order: order).run(table.load(as: trove_api_extension_1.self))
        case TROVE_EXT_ACTIONS: return actions(table.load(as: trove_actions_1.self))
        case TROVE_EXT_MODULE_DRIVER: return module(table.load(as: trove_module_driver_1.self))
        case TROVE_EXT_RPC_PEER:
            let peer = table.load(as: trove_rpc_peer_1.self)
            flags(peer.flags, known: 0)
            return required([("handle", peer.handle != nil)])
        case TROVE_EXT_TLS:
            let tls = table.load(as: trove_tls_1.self)
            flags(tls.flags, known: 0)
            offer("tls", [("apply", tls.apply != nil), ("show", tls.show != nil)])
            return required([("apply", tls.apply != nil), ("show", tls.show != nil)])
        default: return true
        }
    }

    private func required(_ functions: [(name: String, isThere: Bool)]) -> Bool {
        for function in functions where !function.isThere {
            reporter.fail("table.functions", "\(function.name) of \(id) is NULL; it must be set.")
        }
        return functions.allSatisfy(\.isThere)
    }

    private func flags(_ flags: UInt32, known: UInt32) {
        if flags & ~known != 0 {
            reporter.fail("table.flags", "flags of \(id) is \(flags), with bits that ABI 1.0 does not have.")
        }
    }

    private func offer(_ prefix: String, _ functions: [(name: String, isThere: Bool)]) {
        for function in functions { reporter.capability("\(prefix).\(function.name)", function.isThere) }
    }

    private func datastore(_ table: trove_datastore_1) -> Bool {
        flags(table.flags, known: 0)
        let isUsable = required([
            ("open", table.open != nil), ("close", table.close != nil), ("prepare", table.prepare != nil),
            ("launch", table.launch != nil), ("started", table.started != nil), ("status", table.status != nil),
        ])
        offer("datastore", DatastoreVerb.all.map { ($0.name, $0.function(table) != nil) })
        return isUsable
    }

    private func policy(_ table: trove_datastore_policy_1) -> Bool {
        flags(table.flags, known: 0)
        let functions = [
            ("requirements", table.requirements != nil), ("validate_create", table.validate_create != nil),
            ("render_configuration", table.render_configuration != nil),
        ]
        offer(
            "policy",
            functions + [
                ("parameters", table.parameters != nil),
                ("validate_configuration", table.validate_configuration != nil),
                ("plan_upgrade", table.plan_upgrade != nil),
            ])
        return required(functions)
    }

    private func backup(_ table: trove_backup_1) -> Bool {
        flags(table.flags, known: UInt32(TROVE_BACKUP_FULL) | UInt32(TROVE_BACKUP_INCREMENTAL))
        if table.flags & UInt32(TROVE_BACKUP_FULL) == 0 {
            reporter.fail("table.flags", "flags of \(id) has not TROVE_BACKUP_FULL; every strategy makes full backups.")
        }
        declaredKinds(table.flags)
        offer(
            "backup",
            [
                ("full", table.flags & UInt32(TROVE_BACKUP_FULL) != 0),
                ("incremental", table.flags & UInt32(TROVE_BACKUP_INCREMENTAL) != 0),
                ("post_restore", table.post_restore != nil),
            ])
        return required([
            ("open", table.open != nil), ("close", table.close != nil), ("backup", table.backup != nil),
            ("restore", table.restore != nil),
        ])
    }

    /// A control plane asks for increments where the manifest says that there are some: it does not map the library.
    private func declaredKinds(_ flags: UInt32) {
        let check = "manifest.backup-kinds"
        let declared = (order.manifest["backup_kinds"]?.arrayValue ?? ["full"]).contains("incremental")
        let offered = flags & UInt32(TROVE_BACKUP_INCREMENTAL) != 0
        guard declared != offered else { return reporter.pass(check) }
        reporter.fail(
            check,
            offered
                ? "The library makes increments, which plugin.json does not say; add \"backup_kinds\": [\"full\", \"incremental\"]."
                : "plugin.json says under backup_kinds that there are increments, and flags of \(id) does not have them."
        )
    }

    private func module(_ table: trove_module_driver_1) -> Bool {
        flags(table.flags, known: 0)
        offer(
            "module",
            [("validate", table.validate != nil), ("apply", table.apply != nil), ("remove", table.remove != nil)])
        return required([("type", table.type != nil), ("apply", table.apply != nil)])
    }

    private func actions(_ table: trove_actions_1) -> Bool {
        guard table.count == 0 || table.items != nil else {
            reporter.fail("actions.signature", "trove_actions_1 says \(table.count) items, and items is NULL.")
            return false
        }
        do throws(PluginRefusal) {
            let calls = try ActionList.calls(table, order)
            for call in calls { reporter.capability("action.\(call.declaration.name)", true) }
            reporter.pass("actions.signature")
            return true
        } catch {
            reporter.fail(
                "actions.signature", "\(error.message); declare each action alike in plugin.json and in the table.")
            return false
        }
    }
}

/// The actions of a plugin, as the host would call them.
enum ActionList {
    static func calls(_ table: trove_actions_1, _ order: ChildOrder) throws(PluginRefusal) -> [ActionCall] {
        let manifest = try ConformanceSupport.manifest(
            Array(order.manifest.serialized), path: order.directory + "/plugin.json")
        return try ConformanceSupport.actions(
            UnsafeBufferPointer(start: table.items, count: Int(table.count)), manifest, path: order.libraryPath)
    }
}
