// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// One kept connection for requests as bytes, one at a time; opened again when the server has closed it.
///
/// Blocks. One thread at a time, or one that sends and one that receives.
final class RequestLane: @unchecked Sendable {
    struct Reply: Sendable {
        /// 0 when the connection ended without an answer.
        var status = 0
        /// Status line and headers, as sent.
        var head = ""
        var body: [UInt8] = []
        var seconds = 0.0

        /// The first header called `name`.
        func header(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                let pair = line.split(separator: ":", maxSplits: 1)
                if pair.count == 2, pair[0].lowercased() == name {
                    return pair[1].trimmingCharacters(in: .whitespaces)
                }
            }
            return nil
        }

        /// The fault's key and message; nil when the body is no fault with the answer's status.
        var fault: (key: String, message: String)? {
            guard let members = (try? JSONValue(parsing: body))?.objectValue, members.count == 1,
                let (key, value) = members.first, value["code"] == .int(Int64(status)),
                let message = value["message"]?.stringValue, !message.isEmpty
            else { return nil }
            return (key, message)
        }
    }

    private let port: UInt16
    private let seconds: Int
    private let receiveBuffer: Int32?
    private var descriptor: Int32 = -1
    private var rest: [UInt8] = []

    /// - Parameters:
    ///   - seconds: For which an answer is waited for.
    ///   - receiveBuffer: Bytes that the system takes for this end; nil: as many as it thinks right.
    init(port: UInt16, seconds: Int = 20, receiveBuffer: Int32? = nil) {
        self.receiveBuffer = receiveBuffer
        self.port = port
        self.seconds = seconds
    }

    deinit { drop() }

    func drop() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        rest = []
    }

    /// - Parameter hasBody: Whether the answer has the body that its head announces; HEAD's has not.
    func exchange(_ bytes: [UInt8], hasBody: Bool = true) throws -> Reply {
        let isKept = descriptor >= 0
        let began = ContinuousClock.now
        var reply = try attempt(bytes, hasBody)
        // A kept connection may have ended meanwhile; a new one has not.
        if reply.status == 0, isKept { reply = try attempt(bytes, hasBody) }
        reply.seconds = began.secondsToNow
        if reply.status == 0 || reply.head.lowercased().contains("connection: close") { drop() }
        return reply
    }

    private func attempt(_ bytes: [UInt8], _ hasBody: Bool) throws -> Reply {
        if descriptor < 0 { try open() }
        send(bytes)
        let reply = receive(hasBody: hasBody)
        if reply.status == 0 { drop() }
        return reply
    }

    func open() throws {
        descriptor = try Listener.socket()
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        if var receiveBuffer {
            setsockopt(
                descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        guard Listener.withAddress("127.0.0.1", port, { connect(descriptor, $0, $1) }) == 0 else {
            drop()
            throw TestFailure("cannot connect to port \(port): \(String(cString: strerror(errno)))")
        }
    }

    /// Sends as much as the server takes.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Sends no more; what the server sends is still read.
    func closeOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Whether the server has closed already; what it sent before is dropped.
    var hasEnded: Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { return true }
            if count < 0 { return false }
        }
    }

    /// Whether the server closes within the time for an answer, and what it sends before.
    func waitForEnd() -> (isClosed: Bool, text: String) {
        var bytes = rest
        while let more = next() {
            guard !more.isEmpty else { return (true, String(decoding: bytes, as: UTF8.self)) }
            bytes += more
        }
        return (false, String(decoding: bytes, as: UTF8.self))
    }

    /// One answer; answers of class 1xx are skipped. Status 0 when there is none.
    func receive(hasBody: Bool = true) -> Reply {
        let gap = Array("\r\n\r\n".utf8)
        while true {
            while let end = rest.firstRange(of: gap) {
                var reply = Reply()
                reply.head = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
                let words = reply.head.prefix(40).split(separator: " ")
                reply.status = words.count > 1 ? Int(words[1].prefix(3)) ?? 0 : 0
                let isInterim = (100..<200).contains(reply.status)
                let length = hasBody && !isInterim ? reply.header("content-length").flatMap { Int($0) } ?? 0 : 0
                while rest.count - end.upperBound < length {
                    guard let more = next(), !more.isEmpty else { return Reply() }
                    rest += more
                }
                reply.body = Array(rest[end.upperBound..<end.upperBound + length])
                rest.removeFirst(end.upperBound + length)
                if !isInterim { return reply }
            }
            guard let more = next(), !more.isEmpty else { return Reply() }
            rest += more
        }
    }

    /// What comes next; empty at the end, nil when nothing comes in time.
    private func next() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { return errno == ECONNRESET ? [] : nil }
        return Array(buffer[..<count])
    }
}
