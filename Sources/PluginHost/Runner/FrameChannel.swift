// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// JSON values over a stream socket, each after its length in four bytes, big-endian.
final class FrameChannel: Sendable {
    private static let frameLimit = 64 << 20
    private static let queueLimit = 256 << 20

    private struct Queue {
        var frames: [[UInt8]] = []
        var bytes = 0
        var isClosed = false
    }

    private let socket: Int32
    private let queue = ConditionLock(Queue())

    /// Takes the socket over; it is closed when reader and writer have ended.
    init(_ socket: Int32) {
        self.socket = socket
        // The channel lives as long as its writer.
        if !OwnThread.start("trove-frames", { self.write() }) { close() }
    }

    deinit { Glibc.close(socket) }

    /// Queues a value; nothing waits for the peer.
    ///
    /// - Returns: False when the channel is closed, the value too large, or the peer so slow that the queue is full.
    @discardableResult
    func send(_ value: JSONValue) -> Bool {
        let body = value.serialized
        guard body.count <= Self.frameLimit else { return false }
        let length = UInt32(body.count).bigEndian
        let frame = withUnsafeBytes(of: length) { Array($0) } + body
        return queue.update { queue in
            guard !queue.isClosed, queue.bytes + frame.count <= Self.queueLimit else { return false }
            queue.frames.append(frame)
            queue.bytes += frame.count
            return true
        }
    }

    /// The next value; blocks. nil at the end, or after something that is no frame.
    func receive() -> JSONValue? {
        guard let head = read(4) else { return nil }
        let length = head.reduce(0) { $0 << 8 | Int($1) }
        guard length <= Self.frameLimit, let body = read(length) else { return nil }
        return try? JSONValue(parsing: body, maximumDepth: 128)
    }

    var isOpen: Bool { queue.update { !$0.isClosed } }

    /// Ends both directions; what was queued may be lost.
    func close() {
        queue.update { $0.isClosed = true }
        shutdown(socket, Int32(SHUT_RDWR))
    }

    private func read(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var offset = 0
        while offset < count {
            let done = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(socket, buffer.baseAddress.map { $0 + offset }, count - offset)
            }
            if done < 0 && errno == EINTR { continue }
            guard done > 0 else { return nil }
            offset += done
        }
        return bytes
    }

    private func write() {
        while true {
            let frame: [UInt8]?? = queue.wait(until: nil) { queue in
                guard !queue.frames.isEmpty else { return queue.isClosed ? .some(nil) : nil }
                let frame = queue.frames.removeFirst()
                queue.bytes -= frame.count
                return frame
            }
            guard let frame = frame ?? nil, send(all: frame) else { break }
        }
        close()
    }

    private func send(all frame: [UInt8]) -> Bool {
        var offset = 0
        while offset < frame.count {
            let done = frame.withUnsafeBytes { buffer in
                Glibc.send(
                    socket, buffer.baseAddress.map { $0 + offset }, frame.count - offset, Int32(MSG_NOSIGNAL))
            }
            if done < 0 && errno == EINTR { continue }
            guard done > 0 else { return false }
            offset += done
        }
        return true
    }
}
