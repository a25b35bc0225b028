// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// Reading and writing of whole pieces.
enum Descriptors {
    /// Reads some bytes; 0 at the end.
    static func read(_ descriptor: Int32, _ buffer: inout [UInt8]) throws -> Int {
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw failure("the backup's bytes cannot be read") }
        }
    }

    /// Writes all of `bytes`.
    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ purpose: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(descriptor, part.baseAddress, part.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(purpose) }
            rest = rest.dropFirst(count)
        }
    }

    /// Writes all of `bytes` to the receiver, by its descriptor where it has one.
    static func write(_ bytes: some Collection<UInt8>, to output: BackupOutput) throws {
        guard !bytes.isEmpty else { return }
        try Array(bytes).withUnsafeBytes { bytes in
            guard let descriptor = output.descriptor else { return try output.write(bytes) }
            try write(descriptor, bytes, "the backup's receiver does not take more bytes")
        }
    }

    static func failure(_ purpose: String) -> PluginFailure {
        let number = errno
        let status: PluginStatus = number == ENOSPC || number == EDQUOT ? .exhausted : .unavailable
        return PluginFailure(
            status, "\(purpose): \(String(cString: strerror(number)))", details: ["os_errno": .int(Int64(number))])
    }
}
