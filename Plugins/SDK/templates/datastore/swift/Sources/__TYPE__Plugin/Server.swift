// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

import Glibc
import TrovePluginKit

/// The server and its protocol.
struct Server {
    static let program = "/usr/bin/memcached"
    static let port = 11211

    let address: String
    let port: Int

    /// Sends a command and reads the answer until `end` stands in it; at most `limit`, never past the call's time.
    ///
    /// - Throws: `.unavailable` where nobody listens, `.timedOut`, `.cancelled`, `.internal`.
    func ask(_ command: String, until end: String, limit: Duration, call: Call) throws -> String {
        let deadline = ContinuousClock.now + min(limit, call.timeLeft ?? limit)
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw PluginFailure(.exhausted, "no socket") }
        defer { close(descriptor) }
        try connect(descriptor, deadline, call)
        guard send(descriptor, command, command.utf8.count, Int32(MSG_NOSIGNAL)) == command.utf8.count else {
            throw PluginFailure(.unavailable, "the server does not take the command")
        }
        var answer = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !answer.contains(end) {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 {
                answer += String(decoding: buffer[..<count], as: UTF8.self)
                continue
            }
            guard count < 0, errno == EAGAIN || errno == EINTR else {
                throw PluginFailure(.unavailable, "the server closed the connection")
            }
            try wait(descriptor, Int16(POLLIN), deadline, call)
        }
        return answer
    }

    /// The number of a line `STAT name number`; 0 without one.
    static func statistic(_ answer: String, _ name: String) -> UInt64 {
        for line in answer.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            if words.count == 3, words[1] == name { return UInt64(words[2]) ?? 0 }
        }
        return 0
    }

    private func connect(_ descriptor: Int32, _ deadline: ContinuousClock.Instant, _ call: Call) throws {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = in_port_t(UInt16(clamping: port).bigEndian)
        guard inet_pton(AF_INET, address, &place.sin_addr) == 1 else {
            throw PluginFailure(.internal, "the instance's address is none")
        }
        let result = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return }
        guard errno == EINPROGRESS else { throw PluginFailure(.unavailable, "the server does not listen") }
        try wait(descriptor, Int16(POLLOUT), deadline, call)
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0, error == 0 else {
            throw PluginFailure(.unavailable, "the server does not listen")
        }
    }

    /// Returns when the socket is ready; throws once the call shall stop or the time is over.
    private func wait(
        _ descriptor: Int32, _ events: Int16, _ deadline: ContinuousClock.Instant, _ call: Call
    ) throws {
        while true {
            try call.check()
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw PluginFailure(.timedOut, "the server did not answer in time") }
            var set = [
                pollfd(fd: descriptor, events: events, revents: 0),
                pollfd(fd: call.cancelDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            let milliseconds = Int32(
                clamping: left.components.seconds * 1000 + 1 + left.components.attoseconds / 1_000_000_000_000_000)
            if poll(&set, 2, milliseconds) > 0, set[0].revents != 0 { return }
        }
    }
}
