// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import PluginHost

/// Runs a compiler, or another program that must succeed.
struct Compiler {
    var program = "/usr/bin/gcc"
    var arguments: [String]
    var environment: [String: String] = [:]

    struct Failure: Error, CustomStringConvertible { var description: String }

    /// - Returns: Standard output.
    @discardableResult
    func run() async throws -> String {
        let (ending, name): (ChildProcess.Ending, String) = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                var child = ChildProcess(argv: [program] + arguments, deadline: .now + .seconds(120))
                child.environment.merge(["TMPDIR": "/tmp"].merging(environment) { $1 }) { $1 }
                continuation.resume(with: Result { (try child.run().get(), program) })
            }
        }
        guard ending.exitStatus == 0 else {
            let status = ending.exitStatus.map { "status \($0)" } ?? "signal \(ending.signal ?? 0)"
            throw Failure(
                description: "\(name) ended with \(status): \(String(decoding: ending.stderrTail, as: UTF8.self))")
        }
        return String(decoding: ending.stdout, as: UTF8.self)
    }
}

/// One C or C++ text of a plugin.
struct Unit {
    var text: String
    var headers = Headers.released("1.0")
    /// `NAME` or `NAME=value`.
    var macros: [String] = []
    var isCXX = false

    func compile(to object: String) async throws {
        let source = object + (isCXX ? ".cc" : ".c")
        try text.write(toFile: source, atomically: true, encoding: .utf8)
        let compiler = Compiler(
            program: isCXX ? "/usr/bin/g++" : "/usr/bin/gcc",
            arguments: [
                "-c", isCXX ? "-std=c++17" : "-std=gnu11", "-D_GNU_SOURCE", "-fPIC", "-fvisibility=hidden", "-O1",
                "-Wall",
                "-Werror", "-Wno-unused", "-I", headers, "-o", object, source,
            ] + macros.map { "-D" + $0 })
        try await compiler.run()
    }
}
