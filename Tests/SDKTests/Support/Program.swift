// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Why a step of a test could not be done.
struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// A program that ran to its end.
struct Program: Sendable {
    var status: Int32
    /// Standard output and standard error, as they came.
    var output: String

    /// Runs a program off the cooperative pool; killed after `seconds`.
    static func run(
        _ arguments: [String], in directory: String? = nil, environment: [String: String] = [:], seconds: Double = 240
    ) async throws -> Program {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try blocking(arguments, directory, environment, seconds) })
            }
        }
    }

    /// Runs a program that must succeed; its output.
    @discardableResult
    static func must(
        _ arguments: [String], in directory: String? = nil, environment: [String: String] = [:], seconds: Double = 240
    ) async throws -> String {
        let program = try await run(arguments, in: directory, environment: environment, seconds: seconds)
        guard program.status == 0 else {
            throw TestFailure("\(arguments.joined(separator: " ")) ended with \(program.status): \(program.output)")
        }
        return program.output
    }

    private static func blocking(
        _ arguments: [String], _ directory: String?, _ environment: [String: String], _ seconds: Double
    ) throws -> Program {
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("trove-sdk-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: log) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let handle = try FileHandle(forWritingTo: log)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let killer = DispatchWorkItem { kill(process.processIdentifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: killer)
        process.waitUntilExit()
        killer.cancel()
        return Program(
            status: process.terminationStatus, output: String(decoding: try Data(contentsOf: log), as: UTF8.self))
    }
}
