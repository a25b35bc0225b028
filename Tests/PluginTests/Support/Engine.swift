// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Synchronization
import TrovePluginKit

/// A real server on an address of its own, made and driven by the plugin.
final class Engine {
    static let isInstalled =
        access("/usr/sbin/mariadbd", X_OK) == 0 && access("/usr/bin/mariadb", X_OK) == 0
        && access("/usr/bin/mariabackup", X_OK) == 0 && (geteuid() != 0 || access("/usr/bin/setpriv", X_OK) == 0)

    private static let counter = Mutex<UInt32>(0)

    let root: String
    let address: String
    let config: JSON
    private(set) var session: DatastoreSession
    private var pid: pid_t = -1

    /// An instance that has not been prepared, with an empty data directory.
    init(root: String, name: String) throws {
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
            "datastore": ["name": "mariadb", "version": "10.11"], "address": .string(address), "port": 3306,
            "data_dir": .string("\(self.root)/data"), "run_dir": .string("\(self.root)/run"),
            "state_dir": .string("\(self.root)/state"), "log_dir": .string("\(self.root)/log"), "memory_mb": 512,
            "uid": .int(Int64(EngineUser.uid)), "gid": .int(Int64(EngineUser.gid)),
        ]
        session = try DatastoreSession(config)
    }

    deinit { stop() }

    /// As after the agent was started anew.
    func reopen() throws { session = try DatastoreSession(config) }

    func prepare(_ more: [String: JSON] = [:]) throws {
        let policy = try Policy.configuration(memoryMiB: 512)
        try session.call(\.prepare, .object(["config_contents": .string(policy)].merging(more) { _, new in new }))
    }

    /// Starts the server as `launch` says, waits until it says that it is ready, and calls `started`.
    func start() throws -> JSON {
        let launch = try session.call(\.launch)
        let socket = try NotifySocket(path: root + "/notify")
        let log = open(root + "/log/error.log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(log) }
        pid = try Child.spawn(
            EngineUser.prefix + (try launch.list("argv").compactMap(\.stringValue)),
            ["NOTIFY_SOCKET": socket.path], input: -1, output: log, errors: log)
        try socket.waitUntilReady(seconds: 60, log: root + "/log/error.log")
        try session.call(\.started)
        return launch
    }

    /// Asks the server to stop and waits for it.
    func stop() {
        guard pid > 0 else { return }
        kill(pid, SIGTERM)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        pid = -1
    }

    /// Runs a statement with the engine's own client; throws with its error text.
    @discardableResult
    func query(_ user: String, _ password: String, _ statement: String) throws -> String {
        let run = try ChildRun([
            "argv": [
                "/usr/bin/mariadb", "--no-defaults", "--host=\(address)", "--user=\(user)", "--batch",
                "--skip-column-names", "--execute=\(statement)",
            ].json, "env": ["MYSQL_PWD": .string(password)], "as": "agent",
        ])
        let result = try run.finish(input: -1, output: -1)
        guard result["exit_status"] == 0 else { throw TestProblem(result["stderr_tail"]?.stringValue ?? "") }
        return result["stdout"]?.stringValue ?? ""
    }
}

extension [String] {
    var json: JSON { .array(map(JSON.string)) }
}

/// Receives what the server says about its start.
struct NotifySocket {
    let path: String
    private let descriptor: Int32

    init(path: String) throws {
        self.path = path
        unlink(path)
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < 108 else { throw TestProblem("\(path) is too long for a socket") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw TestProblem("cannot bind \(path)") }
        chmod(path, 0o777)
    }

    func waitUntilReady(seconds: Int32, log: String) throws {
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, seconds * 1000) > 0 else { throw TestProblem("the server is not ready; see \(log)") }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self).contains("READY=1") { return }
        }
    }
}
