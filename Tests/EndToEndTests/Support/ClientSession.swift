// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Synchronization

/// One run of the unmodified `openstack` client that reads its commands from standard input, as in `openstack <commands`.
///
/// The client's start takes a second, a command in a running one some hundredths. Commands are of one test at a time.
final class ClientSession: Sendable {
    /// What the client said about a command that did not succeed.
    struct Refusal: Error, CustomStringConvertible {
        var command: String
        var message: String
        /// Status of the answer that the client got; nil when it asked nobody, or says none.
        var status: Int? { message.firstMatch(of: #/\(HTTP (\d{3})\)/#).flatMap { Int($0.1) } }
        var description: String { "openstack \(command): \(message)" }
    }

    private struct State {
        var count = 0
        var outputOffset: UInt64 = 0
        var errorsOffset: UInt64 = 0
    }

    private let process = Process()
    private let input = Pipe()
    private let folder: String
    private let state = Mutex(State())
    private var outputPath: String { folder + "/out" }
    private var errorsPath: String { folder + "/err" }

    init(_ plane: ControlPlane) throws {
        folder = FileManager.default.temporaryDirectory.path + "/trove-client-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for path in [folder + "/out", folder + "/err"] {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        process.executableURL = URL(fileURLWithPath: Build.openstack)
        process.environment = ProcessInfo.processInfo.environment.merging(try plane.openrc()) { $1 }
            .merging(["PYTHONUNBUFFERED": "1"]) { $1 }
        process.standardInput = input
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/out"))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/err"))
        try process.run()
    }

    /// Lets the client end and removes its files.
    func close() {
        try? input.fileHandleForWriting.close()
        if process.isRunning { kill(process.processIdentifier, SIGTERM) }
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs a command; what it prints, parsed where it is JSON.
    ///
    /// - Throws: ``Refusal`` when the client complains.
    @discardableResult
    func run(_ words: [String], seconds: Double = 120) async throws -> JSONValue {
        let command = words.joined(separator: " ")
        guard words.allSatisfy({ $0.wholeMatch(of: #/[\w.:%@,\/-]+/#) != nil }) else {
            throw TestFailure("the client's shell would read '\(command)' in a way of its own")
        }
        let mark = state.withLock { state in
            state.count += 1
            return "end-of-command-\(state.count)"
        }
        try input.fileHandleForWriting.write(contentsOf: Data("\(command)\nshell echo \(mark)\n".utf8))
        var output = ""
        try await eventually(seconds, "the client answers to '\(command)'") {
            guard process.isRunning else { throw TestFailure("the client ended: \(try errors())") }
            output = try text(outputPath, from: state.withLock { $0.outputOffset })
            return output.hasSuffix(mark + "\n")
        }
        // What the client complains about is written before its next command is begun.
        let complaint = try errors()
        state.withLock { state in
            state.outputOffset += UInt64(output.utf8.count)
            state.errorsOffset += UInt64(complaint.utf8.count)
        }
        output.removeLast(mark.count + 1)
        guard complaint.allSatisfy(\.isWhitespace) else {
            throw Refusal(command: command, message: complaint.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        return (try? JSONValue(parsing: output)) ?? .string(output)
    }

    private func errors() throws -> String { try text(errorsPath, from: state.withLock { $0.errorsOffset }) }

    private func text(_ path: String, from offset: UInt64) throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.seek(toOffset: offset)
        return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    }
}
