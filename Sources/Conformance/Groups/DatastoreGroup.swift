// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// A datastore without its engine: what it says and does while nothing runs.
final class DatastoreGroup {
    private let context: GroupContext
    private let table: trove_datastore_1
    private let opened: OpenedSelf
    private let targets: [(verb: DatastoreVerb, target: Target)]

    init(_ context: GroupContext, _ table: UnsafeRawPointer) throws {
        let table = table.load(as: trove_datastore_1.self)
        guard let open = table.open, let close = table.close else { throw Unusable() }
        self.context = context
        self.table = table
        let opened = OpenedSelf("datastore", context.caller, open: open, close: close)
        self.opened = opened
        let configuration = PolicySamples(context).configurationText
        targets = DatastoreVerb.all.compactMap { verb in
            guard let function = verb.function(table) else { return nil }
            var sample = verb.sample
            if let configuration, sample["config_contents"] != nil {
                sample = sample.replacing(["config_contents"], with: .string(configuration))
            }
            let target = Target(
                "datastore.\(verb.name)", sample, needs: verb.needs, reply: verb.reply,
                mayEmitSecret: verb.mayEmitSecret
            ) { function(opened.value, $0, $1) }
            return (verb, target)
        }
        try opened.begin(context.sandbox.config)
    }

    var scenarios: [Scenario] {
        let caller = context.caller
        let leaks = LeakChecks(caller: caller, repeats: context.order.repeats)
        let sandbox = context.sandbox
        var list = opened.scenarios(sandbox.config, leaks: leaks)
        guard opened.isOpen else { return list }
        for (verb, target) in targets where verb.isIdempotent {
            list.append(
                Scenario(check: "datastore.idempotent.\(verb.name)", target: target.name) {
                    try self.repeated(verb, target)
                })
        }
        list.append(Scenario(check: "datastore.absent", target: "datastore.get_user") { try self.absent() })
        list.append(Scenario(check: "datastore.status", target: "datastore.status") { try self.status() })
        // What fills a data directory runs programs, which are out of reach here; it is tried last and once.
        let plain = targets.map(\.target)
        list += InputChecks(caller: caller, strays: { sandbox.strays }).scenarios(plain)
        list += CallChecks(caller: caller).scenarios(plain)
        list.append(leaks.scenario(plain, prefix: "datastore"))
        list.append(
            Scenario(check: "datastore.close", target: "datastore.close") { try self.opened.end() })
        return list
    }

    private func repeated(_ verb: DatastoreVerb, _ target: Target) throws {
        let first = try target.call(context.caller, target.sample)
        guard first.isOK else {
            return ChildReporter.shared.skip(
                "datastore.idempotent.\(verb.name)", "It needs its engine (\(Status.name(first.status))); use --engine."
            )
        }
        let second = try target.call(context.caller, target.sample)
        guard !second.isOK else { return listed(verb) }
        ChildReporter.shared.fail(
            "datastore.idempotent.\(verb.name)",
            "\(target.name) succeeded and then failed with the same request (\(second.text)); a repeat is TROVE_OK.")
    }

    /// What a create made is in the list, what a delete took is not.
    private func listed(_ verb: DatastoreVerb) {
        guard let (list, key, name) = Self.lists[verb.name],
            let target = targets.first(where: { $0.verb.name == list })?.target,
            let outcome = try? target.call(context.caller, target.sample), outcome.isOK
        else { return }
        let names = (outcome.document?[key]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        let shouldBeThere = verb.name.hasPrefix("create")
        if names.contains(name) != shouldBeThere {
            ChildReporter.shared.fail(
                "datastore.listed",
                "After \(verb.name) the list of \(list) \(shouldBeThere ? "lacks" : "still has") \(name); lists show what is there."
            )
        }
        ChildReporter.shared.pass("datastore.listed")
    }

    private static let lists = [
        "create_databases": ("list_databases", "databases", "check_base"),
        "delete_database": ("list_databases", "databases", "check_base"),
        "create_users": ("list_users", "users", "check_user"), "delete_user": ("list_users", "users", "check_user"),
    ]

    private func absent() throws {
        guard let target = targets.first(where: { $0.verb.name == "get_user" })?.target else {
            return ChildReporter.shared.skip("datastore.absent", "The datastore has no get_user.")
        }
        let outcome = try target.call(context.caller, ["name": "nobody_of_that_name", "host": "%"])
        if outcome.isOK {
            ChildReporter.shared.fail(
                "datastore.absent",
                "datastore.get_user returned TROVE_OK for a user that is not there; use TROVE_NOT_FOUND.")
        }
    }

    private func status() throws {
        guard let function = table.status else { return }
        let size = MemoryLayout<trove_service_status_1>.size
        // Room after the struct, to see whether more is written than the caller said.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size + 64, alignment: 16)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size + 64)
        (memory + size).initializeMemory(as: UInt8.self, repeating: 0xA5, count: 64)
        let place = memory.bindMemory(to: trove_service_status_1.self, capacity: 1)
        place.pointee.size = UInt32(size)
        let opened = opened
        let outcome = try context.caller.call(
            "datastore.status", [], check: "datastore.status",
            plan: CallPlan(limit: .seconds(5), grace: .zero, reply: .nothing)
        ) { call, _ in function(opened.value, call, place) }
        let tail = (0..<64).allSatisfy { (memory + size).load(fromByteOffset: $0, as: UInt8.self) == 0xA5 }
        let reporter = ChildReporter.shared
        if !tail || place.pointee.size != UInt32(size) {
            reporter.fail("datastore.status", "datastore.status wrote beyond the size that the caller set, or over it.")
        }
        guard outcome.isOK else { return }
        let status = place.pointee.status
        if status > UInt32(TROVE_SERVICE_SHUTDOWN) {
            reporter.fail(
                "datastore.status", "datastore.status gave the status \(status); it is one of TROVE_SERVICE_*.")
        }
        if status == UInt32(TROVE_SERVICE_HEALTHY) {
            reporter.fail(
                "datastore.status",
                "datastore.status says HEALTHY while no engine runs; ask the engine over the instance's address.")
        }
    }
}
