// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Synchronization
import TrovePluginKit

/// A real server on an address of its own, made and driven by the plugin.
final class RedisEngine {
    static let isInstalled =
        access("/usr/bin/redis-server", X_OK) == 0 && access("/usr/bin/redis-cli", X_OK) == 0
        && (geteuid() != 0 || access("/usr/bin/setpriv", X_OK) == 0)

    private static let counter = Mutex<UInt32>(100)

    let root: String
    let address: String
    let config: JSON
    private(set) var session: DatastoreSession
    private var pid: pid_t = -1

    /// An instance that has not been prepared, with an empty data directory.
    init(root: String, name: String) throws {
        // As the agent has it: the engine's end is told by an error, not by a signal.
        signal(SIGPIPE, SIG_IGN)
        self.root = "\(root)/\(name)"
        let number = Self.counter.withLock { count -> UInt32 in
            count += 1
            return count
        }
        let process = UInt32(getpid())
        address = "127.\(100 + process >> 8 & 63).\(process & 0xFF).\(number)"
        chmod(root, 0o711)
        mkdir(self.root, 0o711)
        for directory in ["data", "run", "state", "log"] { mkdir("\(self.root)/\(directory)", 0o700) }
        for directory in ["data", "run"] { chown("\(self.root)/\(directory)", EngineUser.uid, EngineUser.gid) }
        config = [
            "instance_id": .string("6b9d6f9e-0000-4000-8000-00000000000\(number % 10)"),
            "datastore": ["name": "redis", "version": "7.0"], "address": .string(address), "port": 6379,
            "data_dir": .string("\(self.root)/data"), "run_dir": .string("\(self.root)/run"),
            "state_dir": .string("\(self.root)/state"), "log_dir": .string("\(self.root)/log"), "memory_mb": 128,
            "uid": .int(Int64(EngineUser.uid)), "gid": .int(Int64(EngineUser.gid)),
        ]
        session = try DatastoreSession(config, image: PluginImage.redis)
    }

    deinit { stop() }

    /// As after the agent was started anew.
    func reopen() throws { session = try DatastoreSession(config, image: PluginImage.redis) }

    /// The configuration as the policy renders it.
    static func configuration(_ overrides: JSON = [:]) throws -> String {
        let request: JSON = [
            "version": "7.0", "memory_mb": 128, "vcpus": 1, "volume_gib": 1,
            "instance_id": "6b9d6f9e-0000-4000-8000-000000000001", "overrides": overrides,
        ]
        return try Policy.call(\.render_configuration, request, image: PluginImage.redis).text("config_contents")
    }

    func prepare(_ more: [String: JSON] = [:], overrides: JSON = [:]) throws {
        let contents = try Self.configuration(overrides)
        try session.call(\.prepare, .object(["config_contents": .string(contents)].merging(more) { $1 }))
    }

    /// Starts the server as `launch` says, waits until it says that it is ready, and calls `started`.
    @discardableResult
    func start() throws -> JSON {
        let launch = try session.call(\.launch)
        let socket = try NotifySocket(path: root + "/notify")
        let log = open(root + "/log/engine.log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(log) }
        pid = try Child.spawn(
            EngineUser.prefix + (try launch.list("argv").compactMap(\.stringValue)),
            ["NOTIFY_SOCKET": socket.path], input: -1, output: log, errors: log)
        try socket.waitUntilReady(seconds: 30, log: root + "/log/engine.log")
        try session.call(\.started)
        return launch
    }

    /// Ends the server and waits for it.
    func stop(_ number: Int32 = SIGTERM) {
        guard pid > 0 else { return }
        kill(pid, number)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        pid = -1
    }

    /// Runs a command with the engine's own client; throws with what it printed if it is an error.
    @discardableResult
    func run(_ user: String, _ password: String, _ command: [String]) throws -> String {
        let run = try ChildRun([
            "argv": (["/usr/bin/redis-cli", "-e", "-h", address, "--user", user] + command).json,
            "env": ["REDISCLI_AUTH": .string(password)], "as": "agent",
        ])
        let result = try run.finish(input: -1, output: -1)
        let output = result["stdout"]?.stringValue ?? ""
        let errors = result["stderr_tail"]?.stringValue ?? ""
        guard result["exit_status"] == 0, !errors.contains("failed") else { throw TestProblem(output + errors) }
        return output
    }

    /// What a file on the volume holds; `nil` if there is none.
    func data(_ name: String) throws -> String? { try PluginFiles.read("\(root)/data/\(name)") }
}
