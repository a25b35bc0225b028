// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// A place for a backup's bytes, valid during the call that received it.
public struct BackupOutput {
    let stream: UnsafePointer<trove_ostream_1>

    /// The same stream as a descriptor, to hand to a child. Use it or `write`, not both, and do not close it.
    public var descriptor: Int32? { stream.pointee.fd >= 0 ? stream.pointee.fd : nil }

    /// Writes all of `bytes`; blocks while the receiver is slow.
    ///
    /// - Throws: `PluginFailure` `.unavailable` if the receiver is gone or the call was cancelled.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let taken = stream.pointee.write?(stream, part.baseAddress, part.count) ?? -1
            guard taken > 0, taken <= part.count else {
                throw PluginFailure(.unavailable, "the backup's receiver does not take more bytes")
            }
            rest = rest.dropFirst(Int(taken))
        }
    }
}

/// A backup's bytes to read, valid during the call that received it.
public struct BackupInput {
    let stream: UnsafePointer<trove_istream_1>

    /// The same stream as a descriptor, to hand to a child. Use it or `read`, not both, and do not close it.
    public var descriptor: Int32? { stream.pointee.fd >= 0 ? stream.pointee.fd : nil }

    /// Reads up to `buffer.count` bytes; blocks until there are some.
    ///
    /// - Returns: How many; 0 at the end.
    /// - Throws: `PluginFailure` `.unavailable` on an error or cancellation.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = stream.pointee.read?(stream, buffer.baseAddress, buffer.count) ?? -1
        guard count >= 0, count <= buffer.count else {
            throw PluginFailure(.unavailable, "the backup's bytes cannot be read")
        }
        return Int(count)
    }
}
