// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// The restored snapshot on the volume.
enum SnapshotFile {
    private static let refusal = PluginFailure(.invalidArgument, "the backup's snapshot is not whole")
    /// The byte `0xFF` and a checksum of 8 bytes end a snapshot. Source: Redis, "RDB file format".
    private static let endBytes = 9

    /// Writes what is left of the stream; returns how much that is.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` if it does not begin and end as a snapshot does.
    static func write(
        _ reader: StreamReader, to path: String, owner: (uid: UInt32, gid: UInt32), call: Call
    ) throws -> Int {
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Descriptors.failure("could not create \(path)") }
        defer { close(descriptor) }
        var count = 0
        var head: [UInt8] = []
        var tail: [UInt8] = []
        while true {
            let piece = try reader.next()
            if piece.isEmpty { break }
            try piece.withUnsafeBytes { try Descriptors.write(descriptor, $0, "could not write \(path)") }
            count += piece.count
            if head.count < 5 { head.append(contentsOf: piece.prefix(5 - head.count)) }
            tail = Array((tail + piece.suffix(endBytes)).suffix(endBytes))
            try call.check()
        }
        guard head == Array("REDIS".utf8), count > endBytes + 9, tail.first == 0xFF else { throw refusal }
        if geteuid() == 0, fchown(descriptor, owner.uid, owner.gid) != 0 {
            throw Descriptors.failure("could not give away \(path)")
        }
        guard fsync(descriptor) == 0 else { throw Descriptors.failure("could not sync \(path)") }
        return count
    }
}
