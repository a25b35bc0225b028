// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The hub's end of one connection; used by the hub's thread alone.
final class HubConnection {
    let id: UInt64
    let descriptor: Descriptor
    var name = ""
    var input = HubFrameBuffer()
    private var output: [UInt8] = []
    private var sent = 0
    /// Whether the hub waits for room in the socket.
    var waitsForRoom = false

    init(id: UInt64, descriptor: Descriptor) {
        self.id = id
        self.descriptor = descriptor
    }

    var pendingBytes: Int { output.count - sent }

    func append(_ frame: HubFrame) { frame.encode(into: &output) }

    /// Writes as much as the socket takes; false when the client is gone.
    func flush() -> Bool {
        while sent < output.count {
            let count = output.withUnsafeBytes { bytes in
                send(
                    descriptor.number, bytes.baseAddress?.advanced(by: sent), bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                return true
            } else if errno != EINTR {
                return false
            }
        }
        output.removeAll(keepingCapacity: output.capacity <= HubFrameBuffer.chunkBytes)
        sent = 0
        return true
    }
}
