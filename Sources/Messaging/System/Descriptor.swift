// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// An open file descriptor; closed when the last user lets go of it, so that nobody ever uses a number that is somebody else's.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { Glibc.close(number) }
}

/// Wakes a thread that waits in poll(2) or epoll_wait(2). Source: eventfd(2).
final class WakeSignal: Sendable {
    let descriptor: Descriptor

    /// nil when the process has no descriptors left.
    init?() {
        let number = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard number >= 0 else { return nil }
        descriptor = Descriptor(number)
    }

    func raise() {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor.number, &one, 8)
    }

    func clear() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor.number, &count, 8)
    }
}

/// The text of an errno.
func systemMessage(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
