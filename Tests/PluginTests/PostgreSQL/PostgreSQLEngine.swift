// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Foundation
import Glibc
import Synchronization
import TestSupport
import TrovePluginKit

/// A real PostgreSQL on an address of its own, made and driven by the plugin.
final class PostgreSQLEngine {
    static let version = "15"
    private static let programs = "/usr/lib/postgresql/\(version)/bin"
    /// The engine refuses to run as root, so root needs a program that gives its rights up.
    static let isInstalled =
        access("\(programs)/postgres", X_OK) == 0 && access("\(programs)/pg_basebackup", X_OK) == 0
        && access("\(programs)/psql", X_OK) == 0 && (geteuid() != 0 || access("/usr/bin/setpriv", X_OK) == 0)

    private static let counter = Mutex<UInt32>(0)

    let root: String
    let address: String
    let config: JSON
    private(set) var session: DatastoreSession
    private(set) var pid: pid_t = -1

    /// An instance that has not been prepared, with an empty data directory.
    init(root: String, name: String) throws {
        self.root = "\(root)/\(name)"
        let number = Self.counter.withLock { count -> UInt32 in
            count += 1
            return count
        }
        let process = UInt32(getpid())
        address = "127.\(164 + process >> 8 & 63).\(process & 0xFF).\(number)"
        chmod(root, 0o711)
        mkdir(self.root, 0o711)
        for directory in ["data", "run", "state", "log"] { mkdir("\(self.root)/\(directory)", 0o700) }
        for directory in ["data", "run"] { chown("\(self.root)/\(directory)", EngineUser.uid, EngineUser.gid) }
        config = [
            "instance_id": .string("7b9d6f9e-0000-4000-8000-00000000000\(number % 10)"),
            "datastore": ["name": "postgresql", "version": .string(Self.version)], "address": .string(address),
            "port": 5432, "data_dir": .string("\(self.root)/data"), "run_dir": .string("\(self.root)/run"),
            "state_dir": .string("\(self.root)/state"), "log_dir": .string("\(self.root)/log"), "memory_mb": 512,
            "uid": .int(Int64(EngineUser.uid)), "gid": .int(Int64(EngineUser.gid)),
        ]
        session = try DatastoreSession(config, image: PluginImage.postgreSQL)
    }

    deinit { stop() }

    /// Makes an instance from the template, starts it, and removes everything afterwards.
    static func with(_ body: (PostgreSQLEngine) throws -> Void) async throws {
        try await withTemporaryDirectory { root in
            let engine = try PostgreSQLEngine(root: root, name: "i")
            defer { engine.stop() }
            try engine.copyTemplate()
            try engine.prepare()
            _ = try engine.start()
            try body(engine)
        }
    }

    /// One template for all tests, made by the first and removed when the process ends.
    private static let template = Result {
        let root = "/tmp/trove-postgresql-\(getpid())"
        mkdir(root, 0o711)
        atexit { try? FileManager.default.removeItem(atPath: "/tmp/trove-postgresql-\(getpid())") }
        let engine = try PostgreSQLEngine(root: root, name: "t")
        try engine.session.call(\.initialize)
        return engine.root
    }

    /// Fills the data directory as a new instance's is filled.
    func copyTemplate() throws {
        let copy = try ChildRun([
            "argv": ["/usr/bin/cp", "-a", "\(try Self.template.get())/data/pgdata", "\(root)/data/"].json,
            "as": "agent",
        ])
        guard try copy.finish(input: -1, output: -1)["exit_status"] == 0 else { throw TestProblem("cp failed") }
    }

    /// As after the agent was started anew.
    func reopen() throws { session = try DatastoreSession(config, image: PluginImage.postgreSQL) }

    func prepare(_ more: [String: JSON] = [:]) throws {
        let contents = try Self.configuration()
        try session.call(\.prepare, .object(["config_contents": .string(contents)].merging(more) { _, new in new }))
    }

    static func configuration(memoryMiB: Int = 512, overrides: JSON = [:]) throws -> String {
        let request: JSON = [
            "version": .string(version), "memory_mb": .int(Int64(memoryMiB)), "vcpus": 1, "volume_gib": 1,
            "instance_id": "7b9d6f9e-0000-4000-8000-000000000001", "overrides": overrides,
        ]
        return try Policy.call(\.render_configuration, request, image: PluginImage.postgreSQL).text("config_contents")
    }

    /// Starts the server as `launch` says, waits until it says that it is ready, and calls `started`.
    func start() throws -> JSON {
        let launch = try session.call(\.launch)
        let socket = try NotifySocket(path: root + "/notify")
        let log = open(root + "/log/error.log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(log) }
        let environment = (launch["env"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
        pid = try Child.spawn(
            EngineUser.prefix + (try launch.list("argv").compactMap(\.stringValue)),
            environment.merging(["NOTIFY_SOCKET": socket.path]) { $1 }, input: -1, output: log, errors: log)
        try socket.waitUntilReady(seconds: 60, log: root + "/log/error.log")
        try session.call(\.started)
        return launch
    }

    /// Stops the server with `signal` and waits for it.
    func stop(_ signal: Int32 = SIGINT) {
        guard pid > 0 else { return }
        kill(pid, signal)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        pid = -1
    }

    /// Runs statements with the engine's own client; throws with its error text.
    @discardableResult
    func query(_ user: String, _ password: String, _ statement: String, in database: String) throws -> String {
        let run = try ChildRun([
            "argv": [
                "\(Self.programs)/psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
                "--set=ON_ERROR_STOP=1", "--command=\(statement)",
            ].json,
            "env": [
                "PGHOST": .string(address), "PGUSER": .string(user), "PGDATABASE": .string(database),
                "PGPASSWORD": .string(password), "PGSSLMODE": "disable",
            ],
            "as": "agent",
        ])
        let result = try run.finish(input: -1, output: -1)
        guard result["exit_status"] == 0 else { throw TestProblem(result["stderr_tail"]?.stringValue ?? "") }
        return result["stdout"]?.stringValue ?? ""
    }

    /// Runs a statement as the administrator.
    @discardableResult
    func administer(_ statement: String, in database: String = "postgres") throws -> String {
        let password = try session.call(\.backup_access).text("password")
        return try query("os_admin", password, statement, in: database)
    }

    static func status(_ body: () throws -> Void) -> Int32? { EngineTests.status(body) }
}
