// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A client's end of one connection to the hub.
final class HubLink: DeliverySource {
    /// How long one write may wait for a hub that does not read; the hub always reads, so it is stuck then.
    private static let writeSeconds = 5

    let descriptor: Descriptor
    private let isBroken = Mutex(false)

    /// Connects; fails with an errno.
    static func connect(_ path: String) -> Result<HubLink, SystemFailure> {
        UnixSocket.connect(path).flatMap { descriptor in
            var limit = timeval(tv_sec: writeSeconds, tv_usec: 0)
            let size = socklen_t(MemoryLayout<timeval>.size)
            guard setsockopt(descriptor.number, SOL_SOCKET, SO_SNDTIMEO, &limit, size) == 0 else {
                return .failure(SystemFailure(errno))
            }
            return .success(HubLink(descriptor))
        }
    }

    private init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    /// Writes one frame; false when the connection is broken, which then is shut down for its reader too.
    @discardableResult
    func send(_ frame: HubFrame) -> Bool { send(frame.encoded) }

    /// Writes whole frames in one go.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        isBroken.withLock { isBroken in
            if isBroken { return false }
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes { bytes in
                    Glibc.send(
                        descriptor.number, bytes.baseAddress?.advanced(by: sent), bytes.count - sent,
                        Int32(MSG_NOSIGNAL)
                    )
                }
                if count > 0 {
                    sent += count
                } else if errno != EINTR {
                    isBroken = true
                    shutDown()
                    return false
                }
            }
            return true
        }
    }

    func acknowledge(_ number: UInt64, then: @escaping @Sendable (Bool) -> Void) {
        then(send(.acknowledge(number: number)))
    }

    /// Nothing: the hub itself gives what a cancelled consumer had not acknowledged to others.
    func giveBack(_ number: UInt64) {}

    /// Ends the connection; its reader sees the end, a writer that waits fails.
    func shutDown() { shutdown(descriptor.number, Int32(SHUT_RDWR)) }
}
