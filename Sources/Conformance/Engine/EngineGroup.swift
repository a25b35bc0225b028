// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Glibc
import GuestAgent
import Model
import PluginHost

/// The life of a real engine, as the agent leads it: each step stands on the one before.
final class EngineGroup {
    let order: ChildOrder
    let engine: EngineOrder
    let caller: Caller
    let table: trove_datastore_1
    let strategy: PluginUnderCheck?
    private(set) var instance: EngineInstance?
    private(set) var restored: EngineInstance?
    /// Of the whole check; only this is written to.
    let root: String
    private var strays: Set<String> = []

    init(order: ChildOrder, engine: EngineOrder, schemas: SchemaSet) throws {
        self.order = order
        self.engine = engine
        caller = Caller(schemas: schemas)
        root = order.sandbox
        EnginePrograms.shared.confinement = ProcessConfinement(
            uid: EngineUser.id, gid: EngineUser.id, setIDs: geteuid() == 0, cgroupProcsPaths: [])
        let image = try PluginUnderCheck.load(order)
        guard let table = image.table(TROVE_EXT_DATASTORE) else { throw Unusable() }
        self.table = table.load(as: trove_datastore_1.self)
        strategy = try engine.backupLibrary.map { library in
            guard library != order.libraryPath else { return image }
            var order = order
            order.libraryPath = library
            do { return try PluginUnderCheck.load(order) } catch is Unusable {
                ChildReporter.shared.fail(
                    "engine.backup", "The backup strategy \(library) cannot be loaded; check it alone.")
                throw Unusable()
            }
        }
    }

    var scenarios: [Scenario] {
        func step(_ name: String, _ limit: Int, _ run: @escaping () throws -> Void) -> Scenario {
            Scenario(check: "engine.\(name)", target: "the engine's \(name)", limit: limit, run: run)
        }
        return [
            step("template", 600) { try self.makeTemplate() },
            step("prepare", 300) { try self.prepare() },
            step("start", 300) { try self.start() },
            step("accounts", 300) { try EngineAccounts(self).check() },
            step("names", 600) { try EngineAccounts(self).checkNames() },
            step("root", 120) { try EngineAccounts(self).checkRoot() },
            step("configuration", 300) { try EngineSettings(self).check() },
            step("logs", 120) { try EngineSettings(self).checkLogs() },
            step("crash", 300) { try self.crash() },
            step("backup", 900) { try EngineBackup(self).check() },
            step("upgrade", 600) { try self.upgrade() },
            step("delete", 300) { try self.delete() },
        ]
    }

    func fail(_ name: String, _ message: String) { ChildReporter.shared.fail("engine.\(name)", message) }

    /// Calls a function that must succeed.
    ///
    /// - Returns: nil when the datastore does not have it.
    @discardableResult
    func need(
        _ step: String, _ name: String, _ request: JSONValue, of other: EngineInstance? = nil
    ) throws -> CallOutcome? {
        guard let instance = other ?? instance else { throw Unusable() }
        guard let outcome = try instance.call(name, request) else { return nil }
        if !outcome.isOK { fail(step, "datastore.\(name) failed with a running engine (\(outcome.text)).") }
        return outcome
    }

    private func makeTemplate() throws {
        strays = Set(EngineTraces.files)
        let instance = try EngineInstance(
            root: root + "/a", order: order, engine: engine, table: table, caller: caller)
        self.instance = instance
        guard table.initialize != nil else {
            return ChildReporter.shared.skip("engine.template", "Instances start from an empty volume.")
        }
        // The template is made in a place of its own and copied, as volumes are.
        let maker = try EngineInstance(root: root + "/t", order: order, engine: engine, table: table, caller: caller)
        guard let made = try maker.call("initialize", [:], limit: .seconds(550)), made.isOK else {
            fail("template", "datastore.initialize did not fill a template's data directory.")
            throw Unusable()
        }
        try maker.end()
        let target = instance.configuration.dataDirectory
        rmdir(target)
        guard clinux_copy_tree(maker.configuration.dataDirectory, target) == 0,
            clinux_chown_tree(target, EngineUser.id, EngineUser.id) == 0
        else { throw ConformanceError("the template cannot be copied") }
        chmod(target, 0o750)
    }

    var prepareRequest: JSONValue {
        ["config_contents": .string(engine.configuration), "overrides": [:], "restored": false]
    }

    private func prepare() throws {
        for _ in 0..<2 {
            guard try need("prepare", "prepare", prepareRequest)?.isOK == true else { throw Unusable() }
        }
    }

    private func start() throws {
        guard let instance else { throw Unusable() }
        do { try instance.start() } catch {
            fail("start", "The engine did not start: \(error); \(instance.lastWords).")
            throw Unusable()
        }
        try judgeActive("start", instance)
    }

    /// ACTIVE is a live child, a connection accepted at the instance's address, and a plugin that says so.
    func judgeActive(_ step: String, _ instance: EngineInstance) throws {
        guard let pid = instance.snapshot?.pid, kill(pid, 0) == 0 else {
            fail(step, "The engine has no live process after it was started.")
            throw Unusable()
        }
        if !instance.acceptsConnections {
            fail(
                step,
                "Nobody accepts a connection at \(instance.configuration.address):\(instance.configuration.port); bind the instance's address."
            )
        }
        if try instance.health() != UInt32(TROVE_SERVICE_HEALTHY) {
            fail(step, "datastore.status does not say HEALTHY though the engine has started.")
        }
    }

    private func crash() throws {
        guard let instance, let pid = instance.snapshot?.pid else { throw Unusable() }
        let before = try EngineAccounts(self).content(of: instance)
        kill(pid, SIGKILL)
        let limit = ContinuousClock.now + .seconds(200)
        while instance.snapshot?.pid == pid || instance.snapshot?.state != .running {
            guard ContinuousClock.now < limit else {
                fail("crash", "The engine did not come back after kill -9.")
                throw Unusable()
            }
            usleep(50_000)
        }
        try judgeActive("crash", instance)
        try judgeContent("crash", before, instance, "kill -9")
        try instance.stop()
        if try instance.health() == UInt32(TROVE_SERVICE_HEALTHY) {
            fail("crash", "datastore.status says HEALTHY after the engine was stopped.")
        }
        try instance.start()
        try judgeActive("crash", instance)
    }

    /// What the plugin lists must be what it was.
    func judgeContent(_ step: String, _ before: [String], _ instance: EngineInstance, _ event: String) throws {
        let after = try EngineAccounts(self).content(of: instance)
        guard after != before else { return }
        let different = Set(before).symmetricDifference(after).sorted().prefix(5).joined(separator: "; ")
        fail(step, "After \(event) databases or users are not what they were: \(different).")
    }

    /// To the same version: the hooks must at least do no harm.
    private func upgrade() throws {
        guard let instance else { throw Unusable() }
        let version = JSONValue.string(order.datastore.version)
        let request: JSONValue = ["from": version, "to": version, "config_contents": .string(engine.configuration)]
        let before = try EngineAccounts(self).content(of: instance)
        try need("upgrade", "pre_upgrade", request)
        try instance.stop()
        try need("upgrade", "upgrade", request)
        try instance.start()
        try need("upgrade", "post_upgrade", request)
        try judgeActive("upgrade", instance)
        try judgeContent("upgrade", before, instance, "the upgrade")
    }

    /// Makes another instance for what a backup restores; the one before is ended.
    func makeRestored(_ name: String) throws -> EngineInstance {
        try restored?.end()
        restored = nil
        let instance = try EngineInstance(
            root: root + "/" + name, order: order, engine: engine, table: table, caller: caller)
        restored = instance
        return instance
    }

    private func delete() throws {
        for instance in [restored, instance].compactMap({ $0 }) { try instance.end() }
        let limit = ContinuousClock.now + .seconds(10)
        while !EngineTraces.processes.isEmpty, ContinuousClock.now < limit { usleep(100_000) }
        let left = EngineTraces.processes
        if !left.isEmpty {
            fail("delete", "The engine left processes behind: \(left.map(String.init).joined(separator: ", ")).")
        }
        if instance?.acceptsConnections == true { fail("delete", "Somebody still listens at the instance's address.") }
        let outside = Set(EngineTraces.files).subtracting(strays).sorted()
        if let first = outside.first {
            fail("delete", "The engine left \(first) outside of the instance's directories.")
        }
    }
}

/// What an engine that is gone may have left on the host.
enum EngineTraces {
    /// Processes of the engine's own user that have not ended.
    static var processes: [pid_t] {
        guard geteuid() == 0 else { return [] }
        return FileTree.names("/proc").compactMap { pid_t($0) }.filter { pid in
            var info = stat()
            guard stat("/proc/\(pid)", &info) == 0, info.st_uid == EngineUser.id else { return false }
            // One that has ended and waits for its parent is gone.
            var (start, state) = (UInt64(0), CChar(0))
            return clinux_process_stat(pid, &start, &state) == 0 && state != CChar(UInt8(ascii: "Z"))
        }
    }

    /// Where programs leave things that nobody asked for; names only of the engine's own user.
    static var files: [String] {
        ["/tmp", "/var/tmp", "/run", "/dev/shm", "/var/lib", "/var/log"].flatMap { directory in
            FileTree.names(directory).map { directory + "/" + $0 }.filter { path in
                var info = stat()
                return lstat(path, &info) == 0 && info.st_uid == EngineUser.id
            }
        }
    }
}
