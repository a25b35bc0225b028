// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// HTTP as bytes on a socket, for requests that no library would send.
enum RawHTTP {
    struct Answer: Sendable {
        /// 0 without a status line.
        var status: Int
        var body: JSONValue?
        var text: String

        /// The fault's key and message; empty without one.
        var fault: (key: String, message: String) {
            guard let members = body?.objectValue, members.count == 1, let (key, value) = members.first else {
                return ("", "")
            }
            return (key, value["message"]?.stringValue ?? "")
        }
    }

    /// Sends one request and reads until the server closes or `seconds` have passed.
    static func send(_ port: UInt16, _ bytes: [UInt8], seconds: Int = 10) async throws -> Answer {
        let text: String = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try exchange(port, bytes, seconds) })
            }
        }
        let head = text.split(separator: "\r\n", maxSplits: 1).first ?? ""
        let words = head.split(separator: " ")
        let body = text.range(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? ""
        return Answer(
            status: words.count > 1 ? Int(words[1]) ?? 0 : 0, body: try? JSONValue(parsing: body), text: text
        )
    }

    private static func exchange(_ port: UInt16, _ bytes: [UInt8], _ seconds: Int) throws -> String {
        let descriptor = try Listener.socket()
        defer { close(descriptor) }
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        guard Listener.withAddress("127.0.0.1", port, { connect(descriptor, $0, $1) }) == 0 else {
            throw TestFailure("cannot connect to port \(port)")
        }
        var sent = 0
        // A server that has heard enough closes; what it answered is read all the same.
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        var answer = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }
}

/// A TCP listener that a test holds.
final class Listener: Sendable {
    let port: UInt16
    private let descriptor: Int32

    /// Listens on `address`; port 0 takes a free one.
    init(_ address: String, _ port: UInt16) throws {
        let descriptor = try Self.socket()
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        guard Self.withAddress(address, port, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 8) == 0 else {
            Glibc.close(descriptor)
            throw TestFailure("cannot listen on \(address):\(port): \(String(cString: strerror(errno)))")
        }
        var bound = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &bound) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        self.descriptor = descriptor
        self.port = UInt16(bigEndian: bound.sin_port)
    }

    deinit { Glibc.close(descriptor) }

    static func socket() throws -> Int32 {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure("no socket: \(String(cString: strerror(errno)))") }
        return descriptor
    }

    static func withAddress(
        _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var socketAddress = sockaddr_in()
        socketAddress.sin_family = sa_family_t(AF_INET)
        socketAddress.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &socketAddress.sin_addr)
        return withUnsafePointer(to: &socketAddress) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
