// SPDX-License-Identifier: Apache-2.0

import Foundation
import Messaging
import Model
import TestSupport

/// A process of oslo.messaging at the other end of the wire.
///
/// Its program is the contract's own, which lies in `shared/wire` beside the checkout; the library is what `scripts/peers` makes.
final class Peer: @unchecked Sendable {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path
    private static let program = root + "/../shared/wire/oslo_peer.py"
    private static let python = root + "/.build/peers/bin/python"

    /// Whether both are there.
    static var isThere: Bool {
        FileManager.default.fileExists(atPath: program) && FileManager.default.isExecutableFile(atPath: python)
    }

    private let process = Process()
    private let output = Pipe()

    /// Starts it; the password goes through a file that only the process reads, so that it is in no argument list.
    init(_ rabbit: RabbitFixture, options: [String] = [], _ arguments: [String]) throws {
        let configuration = rabbit.configuration
        let address = configuration.url.addresses[0]
        let url =
            "rabbit://\(configuration.url.user):\(configuration.password.revealed)@\(address)/\(configuration.url.virtualHost)"
        process.executableURL = URL(fileURLWithPath: Self.python)
        let starter =
            "import os, runpy, sys; sys.argv[1:1] = ['--url', os.environ['PEER_URL']]; runpy.run_path(sys.argv[0], run_name='__main__')"
        process.arguments =
            ["-W", "ignore", "-c", "import sys; sys.argv = sys.argv[1:]; " + starter, Self.program]
            + options.flatMap { ["--opt", $0] } + arguments + ["--exchange", configuration.exchange]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PEER_URL": url, "PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit { stop() }

    /// The next line that it prints; nil at its end.
    func next() -> JSONValue? {
        var bytes = Data()
        while let byte = try? output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            if byte == Data([0x0A]) {
                return (try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self))) ?? .null
            }
            bytes += byte
        }
        return nil
    }

    /// All that it prints until it ends.
    func lines() async -> [JSONValue] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                var lines: [JSONValue] = []
                while let line = next() { lines.append(line) }
                process.waitUntilExit()
                continuation.resume(returning: lines)
            }
        }
    }

    /// Waits until it prints an event of that name.
    func wait(for event: String) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                while let line = next(), line["event"]?.stringValue != event {}
                continuation.resume()
            }
        }
    }

    /// Ends it at once; asked politely it waits for its own listeners, which may take for ever.
    func stop() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}

/// What the peer's own suite asks of a server.
struct PeerEndpoint: RPCEndpoint {
    let server: String
    let notes = Recorder<JSONValue>()

    init(server: String) { self.server = server }

    func handle(_ request: RPCRequest) async throws -> JSONValue {
        let arguments = request.arguments
        switch request.method {
        case "echo":
            let context: JSONValue = [
                "user": .string(request.context.userID), "is_admin": .bool(request.context.isAdmin),
            ]
            return ["args": .object(arguments), "context": context]
        case "none", "reset": return .null
        case "add":
            guard let a = arguments["a"]?.intValue, let b = arguments["b"]?.intValue else {
                throw RPCFault.typeError("add() is missing an argument")
            }
            return .int(Int64(a + b))
        case "types":
            return [
                "null": .null, "true": true, "int": -7, "big": 9_007_199_254_740_993, "float": 1.5,
                "text": "h\u{e9}llo \u{4e16}\u{754c} \u{1f680}", "list": [1, [2]], "map": ["k": [:]],
            ]
        case "big": return .string(String(repeating: "x", count: arguments["size"]?.intValue ?? 0))
        case "slow":
            let seconds = arguments["seconds"]?.doubleValue ?? 0
            try await Task.sleep(for: .milliseconds(Int(seconds * 1000)))
            return arguments["value"] ?? .null
        case "raise_value": throw RPCFault.valueError(arguments["message"]?.stringValue ?? "")
        case "raise_key":
            throw RPCFault(className: "KeyError", module: "builtins", message: arguments["key"]?.stringValue ?? "")
        case "raise_custom":
            throw RPCFault(
                className: "PeerError", module: "elsewhere", message: arguments["message"]?.stringValue ?? "")
        case "raise_kwargs":
            let id = arguments["uuid"]?.stringValue ?? ""
            throw RPCFault(className: "PeerKwargsError", module: "elsewhere", message: "resource \(id) is missing")
        case "note":
            notes.append(arguments["tag"] ?? .null)
            return .null
        case "notes": return .array(notes.values)
        case "whoami": return .string(server)
        default: throw RPCFault.noSuchMethod(request.method)
        }
    }
}
