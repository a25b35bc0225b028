// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A control plane on a scratch home, as an operator starts it; everything of it is removed at the end.
final class ControlPlane: @unchecked Sendable {
    let home: String
    private(set) var url = ""
    /// Used by one test at a time.
    private var process: Process?
    private var environment: [String: String]
    private var listenPort = 0
    /// What it stands on.
    let shape: Shape
    /// Its part of the nodes, from the first start on; nil in the embedded shape.
    private(set) var space: NodeSpace?

    /// What comes before a command's own words.
    private let command: [String]
    /// A directory that this object made around the home.
    private let scratch: String?

    /// - Parameters:
    ///   - asUser: Everything runs as this uid, on a home that belongs to it; needs root.
    ///   - program: Path of the program, when it is not the built one.
    init(
        environment: [String: String] = [:], asUser uid: uid_t? = nil, program: String = Build.trove,
        shape: Shape = .current
    ) throws {
        self.shape = shape
        guard let uid else {
            home = Build.root + "/.build/e2e/" + UUID().uuidString.prefix(8).lowercased()
            self.environment = environment
            command = [program]
            scratch = nil
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
            chmod(Build.root + "/.build/e2e", 0o711)
            return
        }
        let scratch = "/tmp/trove-e2e-" + UUID().uuidString.prefix(8).lowercased()
        guard mkdir(scratch, 0o711) == 0, chown(scratch, uid, uid) == 0 else {
            throw TestFailure("cannot make \(scratch): \(String(cString: strerror(errno)))")
        }
        self.scratch = scratch
        home = scratch + "/home"
        self.environment = environment.merging(["TROVE_RUN_DIR": scratch + "/run"]) { own, _ in own }
        command = ["/usr/bin/setpriv", "--reuid=\(uid)", "--regid=\(uid)", "--clear-groups", program]
    }

    /// Runs `body` with a control plane that serves; afterwards nothing of it is left, also on failure.
    static func with(
        environment: [String: String] = [:], asUser uid: uid_t? = nil, program: String = Build.trove,
        shape: Shape = .current, configure: (ControlPlane) throws -> Void = { _ in },
        _ body: (ControlPlane) async throws -> Void
    ) async throws {
        let plane = try ControlPlane(environment: environment, asUser: uid, program: program, shape: shape)
        do {
            try configure(plane)
            try await plane.start()
            try await body(plane)
        } catch {
            print("--- log of the control plane ---\n\(plane.logTail(80))")
            await plane.destroy()
            throw error
        }
        await plane.destroy()
    }

    var logPath: String { home + ".log" }
    /// The port that it listens on.
    var port: UInt16 { UInt16(listenPort) }
    /// The parent's process id; nil when it does not run.
    var pid: pid_t? { process?.processIdentifier }

    func logTail(_ count: Int = 40) -> String {
        let text = (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    /// Starts `trove serve` and waits for its ready line.
    func start(arguments: [String] = []) async throws {
        if shape == .production && space == nil { try await makeSpace() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = command.dropFirst() + ["serve"] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .merging(["TROVE_HOME": home, "TROVE_LISTEN": "127.0.0.1:\(listenPort)"]) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        if !FileManager.default.fileExists(atPath: logPath) {
            _ = FileManager.default.createFile(atPath: logPath, contents: nil)
        }
        let log = try FileHandle(forWritingTo: URL(fileURLWithPath: logPath))
        log.seekToEndOfFile()
        process.standardError = log
        try process.run()
        self.process = process
        let line = try await Self.firstLine(of: pipe.fileHandleForReading)
        guard let url = line.split(separator: " ").last, line.hasPrefix("trove: ready http") else {
            throw TestFailure("the control plane did not become ready: '\(line)'\n\(logTail())")
        }
        self.url = String(url)
        let isFirst = listenPort == 0
        listenPort = Int(url.split(separator: ":").last ?? "0") ?? 0
        if isFirst { try await space?.announce(self.url) }
    }

    /// A database, a virtual host and a region of its own, and the schema in it.
    private func makeSpace() async throws {
        let space = try await NodeSpace.make(on: try Nodes.shared())
        self.space = space
        environment.merge(space.environment) { own, _ in own }
        let upgraded = try await trove(["db", "upgrade"])
        guard upgraded.status == 0 else { throw TestFailure("trove db upgrade: \(upgraded.errors)\(upgraded.output)") }
    }

    private static func firstLine(of handle: FileHandle) async throws -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var bytes = Data()
                while let next = try? handle.read(upToCount: 1), !next.isEmpty, next != Data([0x0A]) { bytes += next }
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    /// Asks for a clean stop and waits for it.
    func stop() async throws {
        guard let process else { return }
        kill(process.processIdentifier, SIGTERM)
        try await waitForEnd(seconds: 60)
        guard process.terminationStatus == 0 else {
            throw TestFailure("the control plane ended with \(process.terminationStatus)\n\(logTail())")
        }
    }

    /// Asks for the datastore files to be read again.
    func hangup() async throws {
        guard let process else { throw TestFailure("the control plane does not run") }
        kill(process.processIdentifier, SIGHUP)
    }

    /// Ends parent, worker and runner as kill -9 does.
    func kill9() async throws {
        guard let process else { return }
        let family = Self.descendants(of: process.processIdentifier)
        kill(process.processIdentifier, SIGKILL)
        for pid in family { kill(pid, SIGKILL) }
        try await waitForEnd(seconds: 10)
    }

    /// Waits until the parent has ended by itself (a recovery drill).
    func waitForEnd(seconds: Double) async throws {
        guard let process else { return }
        try await eventually(seconds, "the control plane ends") { !process.isRunning }
        self.process = nil
    }

    static func descendants(of pid: pid_t) -> [pid_t] {
        // Each thread has its own children.
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        let pids = threads.flatMap { thread in
            ((try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/children", encoding: .utf8)) ?? "")
                .split(separator: " ").compactMap { pid_t($0) }
        }
        return pids + pids.flatMap(descendants)
    }

    /// Stops what runs and removes everything of the home.
    func destroy() async {
        if let process, process.isRunning {
            kill(process.processIdentifier, SIGTERM)
            try? await waitForEnd(seconds: 30)
            if process.isRunning { try? await kill9() }
        }
        _ = try? await trove(["purge", "--yes"])
        try? await space?.drop()
        try? FileManager.default.removeItem(atPath: home)
        try? FileManager.default.removeItem(atPath: logPath)
        if let scratch { try? FileManager.default.removeItem(atPath: scratch) }
    }

    // MARK: Commands

    func trove(_ arguments: [String]) async throws -> CommandResult {
        try await Command.run(command + arguments + ["--home", home], environment: environment)
    }

    /// What a tenant's openrc has: the home's, or one of Keystone's.
    func openrc() throws -> [String: String] {
        if let space { return space.openrc }
        let text = try String(contentsOfFile: home + "/openrc", encoding: .utf8)
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("export ") {
            let pair = line.dropFirst(7).split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { continue }
            values[String(pair[0])] = pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "'\""))
        }
        return values
    }

    /// Runs the unmodified `openstack` client; fails unless it succeeds.
    @discardableResult
    func openstack(_ arguments: String...) async throws -> JSONValue {
        try await openstack(arguments)
    }

    @discardableResult
    func openstack(_ arguments: [String]) async throws -> JSONValue {
        let result = try await Command.run([Build.openstack] + arguments, environment: openrc())
        guard result.status == 0 else {
            throw TestFailure("openstack \(arguments.joined(separator: " ")): \(result.errors)\(result.output)")
        }
        return (try? JSONValue(parsing: result.output)) ?? .string(result.output)
    }
}

/// Looks every 20 ms until `check` holds.
func eventually(_ seconds: Double, _ what: String, _ check: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await check() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw TestFailure("not within \(seconds) s: \(what)")
}
