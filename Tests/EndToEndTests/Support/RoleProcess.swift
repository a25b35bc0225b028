// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One `trove serve --role …` of a ``RolePlane``, with its log. Used by one test at a time.
final class RoleProcess: @unchecked Sendable {
    let name: String
    let role: String
    private let process = Process()
    private let output: String
    let logPath: String

    /// Starts it; `waitReady` tells when it serves.
    ///
    /// - Parameter listener: The API's socket, which the program finds as descriptor 3, as a service manager hands it over.
    init(
        name: String, role: String, listener: Int32, environment: [String: String], arguments: [String], logs: String
    ) throws {
        self.name = name
        self.role = role
        output = "\(logs)/\(name).out"
        logPath = "\(logs)/\(name).log"
        let command = [Build.trove, "serve", "--role", role] + arguments
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        if role == "api" {
            let handOver = "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$@\" 3<&0 0</dev/null"
            process.arguments = ["-c", handOver, "sh"] + command
            process.standardInput = FileHandle(fileDescriptor: listener, closeOnDealloc: false)
        } else {
            process.arguments = ["-c", "exec \"$@\"", "sh"] + command
            process.standardInput = FileHandle.nullDevice
        }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        if !FileManager.default.fileExists(atPath: logPath) {
            _ = FileManager.default.createFile(atPath: logPath, contents: nil)
        }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        let log = try FileHandle(forWritingTo: URL(fileURLWithPath: logPath))
        log.seekToEndOfFile()
        process.standardError = log
        try process.run()
    }

    var pid: pid_t { process.processIdentifier }
    var isRunning: Bool { process.isRunning }
    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    func logTail(_ count: Int = 25) -> String {
        "--- \(name)\n" + log.split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    func waitReady(seconds: Double = 90) async throws {
        try await eventually(seconds, "\(name) is ready") {
            guard process.isRunning else { throw TestFailure("\(name) ended with \(process.terminationStatus)") }
            return (try? String(contentsOfFile: output, encoding: .utf8))?.contains("trove: ready") == true
        }
    }

    /// Parents' children that serve, in the order of their starts; plugin runners are below them.
    var workers: [pid_t] { ControlPlane.children(of: pid) }

    /// Everything below the parent.
    var family: [pid_t] { ControlPlane.descendants(of: pid) }

    func signal(_ number: Int32) { kill(pid, number) }

    /// Ends parent, workers and runners as kill -9 does.
    func kill9() async throws {
        let family = family
        kill(pid, SIGKILL)
        for pid in family { kill(pid, SIGKILL) }
        try await waitEnd(seconds: 10)
    }

    /// Asks for a clean stop and waits for it.
    func stop() async throws {
        kill(pid, SIGTERM)
        try await waitEnd(seconds: 60)
        guard process.terminationStatus == 0 else {
            throw TestFailure("\(name) ended with \(process.terminationStatus)\n\(logTail())")
        }
    }

    func waitEnd(seconds: Double) async throws {
        try await eventually(seconds, "\(name) ends") { !process.isRunning }
    }
}

extension ControlPlane {
    /// The processes that this one has started and that have not ended.
    static func children(of pid: pid_t) -> [pid_t] {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return threads.flatMap { thread in
            ((try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/children", encoding: .utf8)) ?? "")
                .split(separator: " ").compactMap { pid_t($0) }
        }.sorted()
    }
}
