// SPDX-License-Identifier: Apache-2.0

import Foundation
import Messaging
import Model
import TestSupport

/// A notification listener of oslo.messaging.
///
/// Its program is the contract's own, which lies in `shared/wire` beside the checkout; the library is what `scripts/peers` makes.
final class Listener: @unchecked Sendable {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path
    private static let program = root + "/../shared/wire/oslo_peer.py"
    private static let python = root + "/.build/peers/bin/python"

    static var isThere: Bool {
        FileManager.default.fileExists(atPath: program) && FileManager.default.isExecutableFile(atPath: python)
    }

    private let process = Process()
    private let output = Pipe()

    /// Listens until it has heard `count`; the password is in no argument list.
    init(_ configuration: RabbitConfiguration, topic: String, count: Int) throws {
        let url = configuration.url
        let text = "rabbit://\(url.user):\(configuration.password.revealed)@\(url.addresses[0])/\(url.virtualHost)"
        let starter =
            "import os, runpy, sys; sys.argv = sys.argv[1:]; sys.argv[1:1] = ['--url', os.environ['PEER_URL']];"
            + " runpy.run_path(sys.argv[0], run_name='__main__')"
        process.executableURL = URL(fileURLWithPath: Self.python)
        process.arguments = [
            "-W", "ignore", "-c", starter, Self.program, "listen", "--topic", topic, "--count", "\(count)",
            "--lifetime", "120", "--exchange", configuration.exchange,
        ]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PEER_URL": text, "PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit { if process.isRunning { process.terminate() } }

    /// What it heard, once that is all that it waits for.
    func heard() async -> [JSONValue] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                let lines = text.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) }
                continuation.resume(returning: lines.filter { $0["event"] == "notification" })
            }
        }
    }
}
