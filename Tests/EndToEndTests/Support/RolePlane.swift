// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport

/// Several `trove serve --role …` processes on one scratch home, which meet at private nodes; everything of them is removed at the
/// end, also on failure. Every API process accepts from one socket, as units behind one socket unit do.
final class RolePlane: @unchecked Sendable {
    let home: String
    let space: NodeSpace
    let port: UInt16
    private let logs: String
    private let listener: Int32
    private let environment: [String: String]
    /// Every process that was started, by name; used by one test at a time.
    private var processes: [String: RoleProcess] = [:]

    private init(_ space: NodeSpace, _ environment: [String: String]) throws {
        self.space = space
        home = Build.root + "/.build/e2e/" + UUID().uuidString.prefix(8).lowercased()
        logs = home + ".logs"
        self.environment = space.environment.merging(environment) { $1 }.merging(["TROVE_HOME": home]) { $1 }
        for path in [home, logs] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        chmod(Build.root + "/.build/e2e", 0o711)
        (listener, port) = try Self.listen()
    }

    /// Runs `body` with the space's schema made and the API's address announced, but nothing started.
    static func with(
        environment: [String: String] = [:], nodes: Nodes? = nil, _ body: (RolePlane) async throws -> Void
    ) async throws {
        let space = try await NodeSpace.make(on: try nodes ?? Nodes.shared())
        let plane = try RolePlane(space, environment)
        do {
            let upgraded = try await plane.trove(["db", "upgrade"])
            guard upgraded.status == 0 else { throw TestFailure("trove db upgrade: \(upgraded.errors)") }
            try await space.announce(plane.url)
            try await body(plane)
        } catch {
            for process in plane.processes.values.sorted(by: { $0.name < $1.name }) { print(process.logTail(40)) }
            await plane.destroy()
            throw error
        }
        await plane.destroy()
    }

    var url: String { "http://127.0.0.1:\(port)" }

    private static func listen() throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = try Listener.socket()
        var bound = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard Listener.withAddress("127.0.0.1", 0, { bind(descriptor, $0, $1) }) == 0,
            Glibc.listen(descriptor, 1024) == 0,
            withUnsafeMutablePointer(
                to: &bound,
                {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
                }) == 0
        else {
            close(descriptor)
            throw TestFailure("cannot listen: \(String(cString: strerror(errno)))")
        }
        return (descriptor, UInt16(bigEndian: bound.sin_port))
    }

    // MARK: Processes

    /// The process of that name, whether it runs or not.
    func process(_ name: String) throws -> RoleProcess {
        guard let process = processes[name] else { throw TestFailure("no process \(name) was started") }
        return process
    }

    /// Starts `trove serve` with the role that the name begins with, as in `api-1`, and does not wait.
    @discardableResult
    func launch(
        _ name: String, arguments: [String] = [], environment: [String: String] = [:]
    ) throws -> RoleProcess {
        let process = try RoleProcess(
            name: name, role: String(name.prefix { $0 != "-" }), listener: listener,
            environment: self.environment.merging(["TROVE_TASKMANAGER_NAME": name]) { $1 }
                .merging(environment) { $1 },
            arguments: arguments, logs: logs)
        processes[name] = process
        return process
    }

    /// Starts one and waits until it serves.
    @discardableResult
    func start(
        _ name: String, arguments: [String] = [], environment: [String: String] = [:]
    ) async throws -> RoleProcess {
        let process = try launch(name, arguments: arguments, environment: environment)
        try await process.waitReady()
        return process
    }

    /// Starts several beside each other.
    func start(all names: [String]) async throws {
        for name in names { try launch(name) }
        for name in names { try await process(name).waitReady() }
    }

    /// Stops all that runs; each must end well.
    func stopAll() async throws {
        let running = processes.values.filter(\.isRunning)
        for process in running { process.signal(SIGTERM) }
        for process in running { try await process.waitEnd(seconds: 60) }
    }

    /// Lines of the logs that tell of a process that trapped.
    func traps() -> [String] {
        let trap = #/Fatal error|Assertion failed|\*\*\* Signal|ended by signal (?!9\b)/#
        return processes.values.flatMap { process in
            process.log.split(separator: "\n").filter { $0.contains(trap) }.map { "\(process.name): \($0)" }
        }
    }

    func trove(_ arguments: [String]) async throws -> CommandResult {
        try await Command.run([Build.trove] + arguments + ["--home", home], environment: environment)
    }

    /// What `trove audit` finds; empty when all is well.
    func audit() async throws -> String {
        let audit = try await trove(["audit"])
        return audit.status == 0 ? "" : "\(audit.output)\(audit.errors)"
    }

    private func destroy() async {
        for process in processes.values where process.isRunning {
            // What a test has halted does not hear of a stop.
            for pid in process.family { kill(pid, SIGCONT) }
            process.signal(SIGTERM)
        }
        for process in processes.values where process.isRunning {
            do { try await process.waitEnd(seconds: 60) } catch { try? await process.kill9() }
        }
        close(listener)
        try? space.nodes.heal()
        _ = try? await trove(["purge", "--yes"])
        try? await space.drop()
        for path in [home, logs] { try? FileManager.default.removeItem(atPath: path) }
    }
}
