// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Cuts a stream of bytes into frames.
struct HubFrameBuffer {
    /// What one read(2) takes at most.
    static let chunkBytes = 64 * 1024

    private var bytes: [UInt8] = []
    private var start = 0

    /// What a read brought.
    enum Input: Equatable {
        case bytes
        /// Nothing there now (of a socket that does not block).
        case nothing
        /// The other end is gone.
        case end
    }

    /// Reads once from a socket.
    ///
    /// - Parameter scratch: At least `chunkBytes`; shared, so that an idle connection costs no memory.
    mutating func fill(from descriptor: Descriptor, scratch: UnsafeMutableRawBufferPointer) -> Input {
        while true {
            let count = Glibc.read(descriptor.number, scratch.baseAddress, scratch.count)
            if count > 0 {
                append(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
                return .bytes
            }
            if count == 0 { return .end }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .nothing : .end
        }
    }

    mutating func append(_ input: UnsafeRawBufferPointer) {
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= Self.chunkBytes * 2)
            start = 0
        }
        bytes.append(contentsOf: input)
    }

    /// The next whole frame; nil when there is none yet.
    ///
    /// - Throws: `badMessage` for a frame that is too long or makes no sense; the stream cannot be read any further.
    mutating func next() throws(MessagingError) -> HubFrame? {
        guard bytes.count - start >= 4 else { return nil }
        let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
        guard length + 4 <= HubFrame.maximumBytes else {
            throw MessagingError(.badMessage, "the bus sent a frame of \(length) bytes")
        }
        guard bytes.count - start >= 4 + length else {
            compact(expecting: 4 + length)
            return nil
        }
        let frame = try HubFrame(content: bytes[start + 4..<start + 4 + length])
        start += 4 + length
        return frame
    }

    private mutating func compact(expecting total: Int) {
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        if bytes.capacity < total { bytes.reserveCapacity(total) }
    }
}
