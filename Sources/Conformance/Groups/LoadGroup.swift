// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Glibc
import Model
import Synchronization

/// From the file to an initialised plugin, one step at a time; what is wrong here makes the rest pointless.
final class LoadGroup {
    private let order: ChildOrder
    private var entry: PluginUnderCheck.Entry?
    private var plugin: UnsafePointer<trove_plugin_1>?

    init(order: ChildOrder) { self.order = order }

    private var reporter: ChildReporter { .shared }

    var scenarios: [Scenario] {
        [
            Scenario(check: "load.map", target: "mapping the library") { try self.map() },
            Scenario(check: "entry.table", target: "trove_plugin_entry") { try self.enter() },
            Scenario(check: "entry.functions", target: "trove_plugin_1") { try self.checkTable() },
            Scenario(check: "entry.major", target: "trove_plugin_entry") { self.checkMajor() },
            Scenario(check: "init.status", target: "init") { try self.initialize() },
            Scenario(check: "manifest.provides", target: "get_extension") { self.checkProvides() },
            Scenario(check: "table.functions", target: "the tables") { try self.checkTables() },
            Scenario(check: "deinit.clean", target: "deinit") { self.deinitialize() },
        ]
    }

    private func map() throws {
        guard let handle = PluginUnderCheck.map(order.libraryPath) else {
            reporter.fail(
                "load.map", "The library cannot be mapped: \(dlerror().map { String(cString: $0) } ?? "unknown").")
            throw Unusable()
        }
        guard let symbol = dlsym(handle, "trove_plugin_entry") else { throw Unusable() }
        _ = clinux_fault_register("the plugin", symbol)
        entry = unsafeBitCast(symbol, to: PluginUnderCheck.Entry.self)
    }

    private func enter() throws {
        let (major, minor) = (UInt32(TROVE_ABI_MAJOR), UInt32(TROVE_ABI_MINOR))
        guard let entry, let plugin = entry(major, minor) else {
            reporter.fail(
                "entry.table",
                "trove_plugin_entry(\(major), \(minor)) returned NULL; return the table for major \(major).")
            throw Unusable()
        }
        self.plugin = plugin
        if entry(major, minor) != plugin {
            reporter.fail("entry.constant", "trove_plugin_entry gave another table when it was called again.")
        }
        reporter.pass("entry.constant")
    }

    private func checkTable() throws {
        guard let plugin else { return }
        let table = plugin.pointee
        func judge(_ check: String, _ isRight: Bool, _ message: String) {
            if isRight { reporter.pass(check) } else { reporter.fail(check, message) }
        }
        let size = MemoryLayout<trove_plugin_1>.size
        judge("entry.magic", table.magic == TROVE_MAGIC, "trove_plugin_1.magic is not TROVE_MAGIC.")
        judge(
            "entry.size", table.size == UInt32(size), "trove_plugin_1.size is \(table.size), not \(size); use sizeof.")
        judge(
            "entry.abi", UInt32(table.abi_major) == TROVE_ABI_MAJOR,
            "trove_plugin_1.abi_major is \(table.abi_major), not \(TROVE_ABI_MAJOR).")
        judge("entry.flags", table.flags == 0, "trove_plugin_1.flags is \(table.flags); ABI 1.0 has no flags: use 0.")
        guard table.magic == TROVE_MAGIC, table.size == UInt32(size) else { throw Unusable() }
        for (name, isThere) in [
            ("id", table.id != nil), ("version", table.version != nil), ("init", table.`init` != nil),
            ("deinit", table.deinit != nil), ("get_extension", table.get_extension != nil),
        ] where !isThere {
            reporter.fail("entry.functions", "trove_plugin_1.\(name) is NULL; it must be set.")
            if name != "deinit" { throw Unusable() }
        }
        compare("id", table.id)
        compare("version", table.version)
    }

    private func compare(_ field: String, _ text: UnsafePointer<CChar>?) {
        let (found, wanted) = (text.map { String(cString: $0) } ?? "", order.manifest[field]?.stringValue ?? "")
        if found != wanted {
            reporter.fail("manifest.\(field)", "plugin.json has the \(field) '\(wanted)', the library '\(found)'.")
        }
        reporter.pass("manifest.\(field)")
    }

    private func checkMajor() {
        for major in [0, UInt32(TROVE_ABI_MAJOR) + 1, UInt32.max] where entry?(major, 0) == plugin {
            reporter.fail(
                "entry.major",
                "trove_plugin_entry(\(major), 0) returned the table of major 1; return NULL for a major it is not for.")
        }
    }

    private func initialize() throws {
        guard let start = plugin?.pointee.`init` else { return }
        let before = ProcessState.current
        ObservedHost.shared.state.withLock { $0.isInInit = true }
        let waited = ProcessState.waitedNanoseconds
        let begun = ContinuousClock.now
        let status = start(ObservedHost.table)
        let spent = (ContinuousClock.now - begun) - .nanoseconds(ProcessState.waitedNanoseconds - waited)
        ObservedHost.shared.state.withLock { $0.isInInit = false }
        let after = ProcessState.current
        if spent > .milliseconds(100) {
            reporter.fail(
                "init.duration", "init took \(spent.milliseconds) ms; it must be done in 100: no I/O, no waiting.")
        }
        reporter.pass("init.duration")
        judgeChanges(before, after)
        guard status == Int32(TROVE_OK) else {
            reporter.fail(
                "init.status", "init failed with \(Status.name(status)), though every service of its roles was offered."
            )
            throw Unusable()
        }
    }

    private func judgeChanges(_ before: ProcessState, _ after: ProcessState) {
        if after.threads > before.threads {
            reporter.fail(
                "threads.spawned-in-init",
                "init started \(after.threads - before.threads) thread(s); start them on first use.")
        }
        let opened = after.descriptors.filter { before.descriptors[$0.key] != $0.value }.values.sorted()
        if !opened.isEmpty {
            reporter.fail(
                "init.descriptors", "init left descriptors open: \(opened.joined(separator: ", ")); init does no I/O.")
        }
        if after.children > before.children {
            reporter.fail("init.children", "init left a child process; plugins never fork.")
        }
        for (name, isSame) in [
            ("the working directory", after.workingDirectory == before.workingDirectory),
            ("the umask", after.mask == before.mask),
            ("the environment", after.environment == before.environment), ("the locale", after.locale == before.locale),
            ("signal handlers or masks", after.signals == before.signals),
        ] where !isSame {
            reporter.fail("init.process-state", "init changed \(name) of the process, which belongs to the host.")
        }
        for check in ["threads.spawned-in-init", "init.descriptors", "init.children", "init.process-state"] {
            reporter.pass(check)
        }
    }

    private func checkProvides() {
        guard let get = plugin?.pointee.get_extension else { return }
        for id in Set(PluginUnderCheck.extensions).union(order.provides).sorted() {
            let table = get(id)
            if table != get(id) {
                reporter.fail(
                    "extension.constant", "get_extension(\"\(id)\") gave different answers; the table is constant.")
            }
            if order.provides.contains(id), table == nil {
                reporter.fail("manifest.provides", "plugin.json provides \(id), the library has no such table.")
            }
            if !order.provides.contains(id), table != nil {
                reporter.fail(
                    "manifest.provides", "The library has \(id), which plugin.json does not name under provides.")
            }
        }
        for id in ["", "trove.datastore/999", "org.example.nothing/1", String(repeating: "x", count: 4096)]
        where get(id) != nil {
            reporter.fail("extension.unknown", "get_extension(\"\(id.prefix(30))\") is not NULL; compare the whole id.")
        }
        reporter.pass("extension.constant")
        reporter.pass("extension.unknown")
    }

    private func checkTables() throws {
        guard let plugin, let get = plugin.pointee.get_extension else { return }
        var isUsable = true
        for id in PluginUnderCheck.extensions {
            guard let table = get(id).map({ UnsafeRawPointer($0) }) else { continue }
            isUsable = TableChecks(order: order, id: id, table: table).run() && isUsable
        }
        for check in ["table.size", "table.flags"] { reporter.pass(check) }
        if !isUsable { throw Unusable() }
    }

    private func deinitialize() {
        guard let stop = plugin?.pointee.deinit else { return }
        let before = ProcessState.current
        let begun = ContinuousClock.now
        stop()
        if ContinuousClock.now - begun > .seconds(2) {
            reporter.fail("deinit.clean", "deinit took longer than 2 s; stop what runs and return.")
        }
        usleep(5000)
        if ProcessState.current.threads > before.threads {
            reporter.fail("deinit.clean", "deinit started a thread; it ends what is there.")
        }
    }
}

extension Duration {
    var milliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}
