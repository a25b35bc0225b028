// SPDX-License-Identifier: Apache-2.0

import Foundation
import Messaging
import TestSupport
import Testing

@Suite("LocalHub", .timeLimit(.minutes(1)))
struct LocalHubTests {
    private func hub(_ path: String) -> LocalHub { LocalHub(path: path, logger: .quiet) }

    @Test("the socket is the owner's alone, and goes with the hub")
    func socketMode() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/bus.sock"
            let hub = hub(path)
            try hub.start()
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            await hub.stop()
            #expect(stat(path, &status) != 0)
        }
    }

    @Test("a second hub is refused, also when the first one's socket file is gone")
    func second() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/bus.sock"
            let first = hub(path)
            try first.start()
            let error = #expect(throws: MessagingError.self) { try hub(path).start() }
            #expect(error?.code == .unavailable && error?.message.contains("another hub") == true)
            unlink(path)
            #expect(throws: MessagingError.self) { try hub(path).start() }
            await first.stop()
            let third = hub(path)
            try third.start()
            await third.stop()
        }
    }

    @Test("a socket that nobody listens on is replaced")
    func stale() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/bus.sock"
            let listener = try listen(path)
            close(listener)
            let hub = hub(path)
            try hub.start()
            await hub.stop()
        }
    }

    @Test("a socket that something else listens on, or another kind of file, is left alone")
    func inTheWay() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/bus.sock"
            let listener = try listen(path)
            defer { close(listener) }
            #expect(throws: MessagingError.self) { try hub(path).start() }
            let file = directory + "/file"
            try "text".write(toFile: file, atomically: true, encoding: .utf8)
            #expect(throws: MessagingError.self) { try hub(file).start() }
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "text")
        }
    }

    @Test("a path longer than a socket's is refused with its length, by hub and client")
    func longPath() async throws {
        let path = "/tmp/" + String(repeating: "x", count: 103)
        let error = #expect(throws: MessagingError.self) { try hub(path).start() }
        #expect(error?.message.contains("108 bytes") == true && error?.message.contains("107") == true)
        let bus = LocalHubBus(path: path, name: "long", logger: .quiet)
        let refusal = await #expect(throws: MessagingError.self) { try await bus.ask("t", "m") }
        #expect(refusal?.code == .unavailable && refusal?.message.contains("107") == true)
        await bus.close()
    }

    @Test("a path of exactly 107 bytes works")
    func longestPath() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/" + String(repeating: "x", count: 106 - directory.utf8.count)
            let hub = hub(path)
            try hub.start()
            let bus = LocalHubBus(path: path, name: "edge", logger: .quiet)
            try await bus.declare(topic: "t", server: "s")
            await bus.close()
            await hub.stop()
        }
    }

    @Test("run returns when it is cancelled, and when the hub is stopped")
    func running() async throws {
        try await withTemporaryDirectory { directory in
            let cancelled = hub(directory + "/a.sock")
            let task = Task { try await cancelled.run() }
            try cancelled.start()
            task.cancel()
            try await task.value
            let stopped = hub(directory + "/b.sock")
            try stopped.start()
            async let end: Void = stopped.run()
            await stopped.stop()
            try await end
        }
    }

    private func listen(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0 && Foundation.listen(descriptor, 1) == 0)
        return descriptor
    }
}
