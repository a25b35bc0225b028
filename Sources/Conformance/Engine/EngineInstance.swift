// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Glibc
import GuestAgent
import Logging
import Model
import PluginHost
import Synchronization

/// One instance of a real engine: directories, the datastore's self, and the agent's own supervisor.
///
/// Unchecked: calls of the plugin are made one after the other, under `lock`.
final class EngineInstance: @unchecked Sendable {
    let root: String
    let configuration: GuestConfiguration
    private let caller: Caller
    private let table: trove_datastore_1
    private let opened: OpenedSelf
    private let lock = Mutex(())
    private(set) var supervisor: EngineSupervisor?

    /// Makes the directories below `root` and opens the datastore.
    init(root: String, order: ChildOrder, engine: EngineOrder, table: trove_datastore_1, caller: Caller) throws {
        guard let open = table.open, let close = table.close else { throw Unusable() }
        self.root = root
        self.caller = caller
        self.table = table
        let (uid, gid) = (EngineUser.id, EngineUser.id)
        try Self.makeDirectory(root, mode: 0o711)
        for (name, mode, isEngines) in [
            ("data", 0o750, true), ("run", 0o755, true), ("log", 0o755, false), ("state", 0o700, false),
        ] as [(String, mode_t, Bool)] {
            try Self.makeDirectory(root + "/" + name, mode: mode)
            if isEngines, geteuid() == 0 { chown(root + "/" + name, uid, gid) }
        }
        let document: JSONValue = [
            "instance_id": .string("00000000-0000-4000-8000-0000000000" + Self.number(root)),
            "datastore": ["name": .string(order.datastore.name), "version": .string(order.datastore.version)],
            "plugins": ["datastore": order.manifest["id"] ?? "x.y", "directories": [.string(order.directory)]],
            "address": .string(EngineUser.address), "port": .int(Int64(engine.port)), "ports": [],
            "uid": .int(Int64(uid)), "gid": .int(Int64(gid)), "set_ids": .bool(geteuid() == 0), "memory_mb": 1024,
            "vcpus": 2, "data_dir": .string(root + "/data"), "run_dir": .string(root + "/run"),
            "log_dir": .string(root + "/log"), "state_dir": .string(root + "/state"),
            "bus": ["socket": .string(root + "/state/bus.sock")],
        ]
        configuration = try GuestConfiguration(json: document)
        opened = OpenedSelf("datastore", caller, open: open, close: close)
        mkdir(root + "/state/plugins", 0o700)
        mkdir(configuration.pluginStateDirectory(order.manifest["id"]?.stringValue ?? ""), 0o700)
        config = .object(configuration.instanceDocument(pluginID: order.manifest["id"]?.stringValue ?? ""))
        try opened.begin(config)
        guard opened.isOpen else { throw Unusable() }
    }

    /// The last two digits of an id, other ones for each instance of a check.
    private static func number(_ root: String) -> String { ["b": "0b", "c": "0c"][root.suffix(1)] ?? "0a" }

    private static func makeDirectory(_ path: String, mode: mode_t) throws(ConformanceError) {
        guard mkdir(path, mode) == 0, chmod(path, mode) == 0 else {
            throw ConformanceError("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
    }

    /// The last lines that the engine wrote, for messages.
    var lastWords: String {
        let bytes = FileTree.read(root + "/log/engine.log", limit: 16 << 20) ?? []
        let lines = String(decoding: bytes.suffix(4096), as: UTF8.self).split(separator: "\n").suffix(3)
        return lines.isEmpty ? "it wrote nothing" : lines.joined(separator: " | ")
    }

    /// The instance document.
    let config: JSONValue

    /// Calls a function of the datastore; nil when it has none of that name.
    func call(
        _ name: String, _ request: JSONValue, limit: Duration = .seconds(120)
    ) throws -> CallOutcome? {
        guard let verb = DatastoreVerb.all.first(where: { $0.name == name }), let function = verb.function(table) else {
            return nil
        }
        return try lock.withLock { _ in
            try caller.call(
                "datastore.\(name)", Array(request.serialized),
                plan: CallPlan(limit: limit, grace: .seconds(5), reply: verb.reply, mayEmitSecret: verb.mayEmitSecret)
            ) { function(self.opened.value, $0, $1) }
        }
    }

    /// The engine's health as the plugin sees it.
    func health() throws -> UInt32 {
        guard let function = table.status else { return 0 }
        let place = UnsafeMutablePointer<trove_service_status_1>.allocate(capacity: 1)
        defer { place.deallocate() }
        place.initialize(to: trove_service_status_1())
        place.pointee.size = UInt32(MemoryLayout<trove_service_status_1>.size)
        _ = try lock.withLock { _ in
            try caller.call(
                "datastore.status", [], plan: CallPlan(limit: .seconds(5), grace: .seconds(1), reply: .nothing)
            ) { call, _ in function(self.opened.value, call, place) }
        }
        return place.pointee.status
    }

    func start() throws {
        let supervisor = self.supervisor ?? makeSupervisor()
        self.supervisor = supervisor
        try Blocking.wait { try await supervisor.start(deadline: .after(.seconds(180))) }
    }

    private func makeSupervisor() -> EngineSupervisor {
        let logger = Logger(label: "trove.check", factory: { _ in SwiftLogNoOpLogHandler() })
        return EngineSupervisor(
            configuration: configuration, launcher: CheckLauncher(instance: self), logger: logger, onChange: { _ in })
    }

    func stop() throws {
        guard let supervisor else { return }
        try Blocking.wait { try await supervisor.stop(deadline: .after(.seconds(120))) }
    }

    var snapshot: EngineSnapshot? {
        guard let supervisor else { return nil }
        return try? Blocking.wait { await supervisor.snapshot }
    }

    /// Stops the engine and frees the datastore's self.
    func end() throws {
        try stop()
        if let supervisor { try Blocking.wait { await supervisor.release() } }
        try opened.end()
    }

    /// Whether somebody accepts a connection at the instance's address.
    var acceptsConnections: Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(configuration.port).bigEndian
        inet_pton(AF_INET, configuration.address, &address.sin_addr)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// Whom the checked engine runs as, and where it listens.
enum EngineUser {
    /// A number that no account of a normal system has; the caller's own without root.
    static let id: UInt32 = geteuid() == 0 ? 1_947_000_000 + UInt32(getpid() % 100_000) : geteuid()
    static let address = "127.87.\(getpid() / 250 % 250).\(getpid() % 250 + 1)"
}

/// Lets the supervisor ask the datastore how to start its engine.
private struct CheckLauncher: EngineLauncher {
    let instance: EngineInstance

    func launch() async throws -> LaunchDocument {
        try await Blocking.run {
            guard let outcome = try instance.call("launch", [:], limit: .seconds(60)), outcome.isOK,
                let document = outcome.document
            else { throw ConformanceError("datastore.launch failed") }
            return try LaunchDocument(json: document, defaultPort: instance.configuration.port)
        }
    }

    func started(deadline: Deadline) async throws {
        try await Blocking.run {
            while true {
                guard let outcome = try instance.call("started", [:], limit: .seconds(60)) else { return }
                if outcome.isOK { return }
                guard !deadline.isPast else { throw ConformanceError("datastore.started failed: \(outcome.text)") }
                usleep(200_000)
            }
        }
    }
}
