// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A control plane on a scratch home, as an operator starts it; everything of it is removed at the end.
final class ControlPlane: @unchecked Sendable {
    let home: String
    private(set) var url = ""
    /// Used by one test at a time.
    private var process: Process?
    private let environment: [String: String]
    private var port = 0

    init(environment: [String: String] = [:]) throws {
        home = Build.root + "/.build/e2e/" + UUID().uuidString.prefix(8).lowercased()
        self.environment = environment
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        chmod(Build.root + "/.build/e2e", 0o711)
    }

    /// Runs `body` with a control plane that serves; afterwards nothing of it is left, also on failure.
    static func with(
        environment: [String: String] = [:], configure: (ControlPlane) throws -> Void = { _ in },
        _ body: (ControlPlane) async throws -> Void
    ) async throws {
        let plane = try ControlPlane(environment: environment)
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

    func logTail(_ count: Int = 40) -> String {
        let text = (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    /// Starts `trove serve` and waits for its ready line.
    func start(arguments: [String] = []) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Build.trove)
        process.arguments = ["serve"] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .merging(["TROVE_HOME": home, "TROVE_LISTEN": "127.0.0.1:\(port)"]) { $1 }
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
        port = Int(url.split(separator: ":").last ?? "0") ?? 0
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

    private static func descendants(of pid: pid_t) -> [pid_t] {
        let children = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        let pids = children.split(separator: " ").compactMap { pid_t($0) }
        return pids + pids.flatMap(descendants)
    }

    /// Stops what runs and removes everything of the home.
    func destroy() async {
        if let process, process.isRunning {
            kill(process.processIdentifier, SIGTERM)
            try? await waitForEnd(seconds: 30)
            if process.isRunning { try? await kill9() }
        }
        _ = try? await Command.run([Build.trove, "purge", "--home", home, "--yes"], environment: environment)
        try? FileManager.default.removeItem(atPath: home)
        try? FileManager.default.removeItem(atPath: logPath)
    }

    // MARK: Commands

    func trove(_ arguments: [String]) async throws -> CommandResult {
        try await Command.run([Build.trove] + arguments + ["--home", home], environment: environment)
    }

    /// Variables of the home's openrc.
    func openrc() throws -> [String: String] {
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
