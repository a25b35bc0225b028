// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// A connection that is kept between requests until the server says that it closes it, as well-behaved clients keep them.
///
/// One request at a time.
final class KeptConnection: @unchecked Sendable {
    private let port: UInt16
    private var descriptor: Int32 = -1
    /// Connections that were opened.
    private(set) var opened = 0

    init(port: UInt16) { self.port = port }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func send(_ bytes: [UInt8]) async throws -> RawHTTP.Answer {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try self.exchange(bytes) }) }
        }
    }

    private func exchange(_ bytes: [UInt8]) throws -> RawHTTP.Answer {
        // An end that the server sent while nothing was asked is seen before the next request goes out.
        if descriptor >= 0, hasEnded { drop() }
        if descriptor < 0 { try open() }
        guard
            bytes.withUnsafeBytes({ Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) })
                == bytes.count
        else {
            drop()
            return RawHTTP.Answer(status: 0, body: nil, text: "")
        }
        let text = read()
        let (head, body) =
            text.range(of: "\r\n\r\n").map { (text[..<$0.lowerBound], String(text[$0.upperBound...])) } ?? ("", "")
        if head.isEmpty || head.contains(#/(?i)connection: close/#) { drop() }
        let words = head.split(separator: " ")
        return RawHTTP.Answer(
            status: words.count > 1 ? Int(words[1]) ?? 0 : 0, body: try? JSONValue(parsing: body), text: text)
    }

    private func open() throws {
        descriptor = try Listener.socket()
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard Listener.withAddress("127.0.0.1", port, { connect(descriptor, $0, $1) }) == 0 else {
            drop()
            throw TestFailure("cannot connect to port \(port): \(String(cString: strerror(errno)))")
        }
        opened += 1
    }

    private func drop() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private var hasEnded: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0
    }

    /// One answer with a `Content-Length`, or what came before the end.
    private func read() -> String {
        var answer = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += buffer[..<count]
            guard let end = answer.range(of: Data("\r\n\r\n".utf8)) else { continue }
            let head = String(decoding: answer[..<end.lowerBound], as: UTF8.self)
            let length = head.firstMatch(of: #/(?i)content-length: (\d+)/#).flatMap { Int($0.1) } ?? 0
            if answer.count - end.upperBound >= length { return String(decoding: answer, as: UTF8.self) }
        }
    }
}
