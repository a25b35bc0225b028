// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Glibc
import Model

/// The process that maps a plugin under check; the kit starts one for each group.
package enum ConformanceChild {
    /// Reads the order from standard input, runs the group's scenarios and reports on descriptor 3.
    ///
    /// Call it on the main thread of a process that does nothing else, and exit with the result.
    /// - Returns: 0 when everything was run, whatever was found.
    package static func main() -> Int32 {
        ThreadMark.loader.take()
        _ = clinux_die_with_parent()
        _ = clinux_become_subreaper()
        _ = clinux_fault_install(-1)
        do {
            let order = try ChildOrder(json: try readOrder())
            let run = GroupRun(order: order, schemas: try SchemaSet(directory: order.schemas))
            try run.run()
            ChildReporter.shared.send(["done": true])
            return 0
        } catch is StuckCall {
            // Said already; the thread cannot be ended, so the process is.
            return 3
        } catch is Unusable {
            ChildReporter.shared.send(["done": false])
            return 0
        } catch {
            ChildReporter.shared.send(["error": .string("\(error)")])
            return 1
        }
    }

    private static func readOrder() throws -> JSONValue {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return try JSONValue(parsing: bytes)
    }
}

/// The plugin cannot be used any further; what is wrong has been said.
struct Unusable: Error {}

/// Runs one group in this process.
final class GroupRun {
    let order: ChildOrder
    let schemas: SchemaSet

    init(order: ChildOrder, schemas: SchemaSet) {
        self.order = order
        self.schemas = schemas
    }

    func run() throws {
        guard let group = Group(rawValue: order.group) else {
            throw ConformanceError("there is no group \(order.group)")
        }
        ObservedHost.shared.offered = offered(group)
        switch group {
        case .link: try play(LinkGroup(order: order).scenarios)
        case .load: try play(LoadGroup(order: order).scenarios)
        case .requires: try play(RequiresGroup(order: order).scenarios)
        case .answers:
            let image = try PluginUnderCheck.load(order)
            guard let table = image.table("trove.datastore-policy/1") else { return }
            let context = GroupContext(
                order: order, image: image, caller: Caller(schemas: schemas), sandbox: try Sandbox(order))
            try play(AnswersGroup(context: context, table: table).scenarios)
        case .engine:
            guard let engine = order.engine else { return }
            try play(EngineGroup(order: order, engine: engine, schemas: schemas).scenarios)
            for check in CallRules.checks { ChildReporter.shared.pass(check) }
        default:
            let image = try PluginUnderCheck.load(order)
            let caller = Caller(schemas: schemas)
            let table = image.table(group.extensionID ?? "")
            guard let table else { return }
            let before = image.snapshot()
            let scenarios = try scenarios(group, image, caller, table)
            try play(scenarios)
            // What a thread of the plugin's own does late.
            usleep(20_000)
            if image.snapshot() != before {
                ChildReporter.shared.fail(
                    "tables.constant", "Tables changed while they were used; they are constant until the process ends.")
            }
            for check in CallRules.checks + ["tables.constant"] { ChildReporter.shared.pass(check) }
        }
    }

    private func offered(_ group: Group) -> Set<String> {
        var offered: Set<String> = []
        if order.roles.contains("guest") { offered.formUnion(ObservedServices.guest) }
        if order.roles.contains("control") { offered.formUnion(ObservedServices.control) }
        return group == .requires ? offered.intersection(order.requires) : offered
    }

    private func scenarios(
        _ group: Group, _ image: PluginUnderCheck, _ caller: Caller, _ table: UnsafeRawPointer
    ) throws -> [Scenario] {
        let context = GroupContext(order: order, image: image, caller: caller, sandbox: try Sandbox(order))
        switch group {
        case .datastore: return try DatastoreGroup(context, table).scenarios
        case .policy: return PolicyGroup(context, table).scenarios
        case .backup: return try BackupGroup(context, table).scenarios
        case .routes: return RouteGroup(context, table).scenarios
        case .actions: return ActionGroup(context, table).scenarios
        case .modules: return ModuleGroup(context, table).scenarios
        case .peer: return PeerGroup(context, table).scenarios
        case .tls: return try TLSGroup(context, table).scenarios
        case .link, .load, .requires, .answers, .engine: return []
        }
    }

    private func play(_ scenarios: [Scenario]) throws {
        for (index, scenario) in scenarios.enumerated() where index >= order.from {
            ChildReporter.shared.send([
                "begin": .int(Int64(index)), "check": .string(scenario.check), "target": .string(scenario.target),
                "limit_s": .int(Int64(scenario.limit)),
            ])
            try scenario.run()
            ChildReporter.shared.send(["end": .int(Int64(index))])
            ChildReporter.shared.pass(scenario.check)
        }
    }
}

/// What the groups of one extension share.
struct GroupContext {
    let order: ChildOrder
    let image: PluginUnderCheck
    let caller: Caller
    let sandbox: Sandbox
}
