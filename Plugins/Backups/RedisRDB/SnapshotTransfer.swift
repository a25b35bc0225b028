// SPDX-License-Identifier: Apache-2.0

import Glibc
import RedisClient
import TrovePluginKit

/// Takes the snapshot that a replica gets, over one connection.
///
/// Shape: the engine sends newlines while it prepares, then `$EOF:` and 40 bytes, the snapshot, and the 40 bytes again; or
/// `$` and a length, and the snapshot. Source: Redis, replication (`SYNC`, `REPLCONF capa eof`, `REPLCONF rdb-only`).
struct SnapshotTransfer {
    let connection: Connection
    let call: Call

    /// Seconds without a byte after which the engine is given up. It sends a newline each 10 s.
    private static let silenceSeconds = 120
    private static let markBytes = 40

    private enum Ending {
        case mark([UInt8])
        case length(Int)
    }

    /// Copies the snapshot; returns its size in bytes.
    ///
    /// - Throws: `PluginFailure` `.unavailable` if the engine ends the stream before the snapshot is whole.
    func copy(to output: BackupOutput) throws -> Int {
        let purpose = "ask for a snapshot"
        try connection.run(["REPLCONF", "capa", "eof"], purpose)
        try connection.run(["REPLCONF", "rdb-only", "1"], purpose)
        try connection.send(["SYNC"], purpose)
        var pending: [UInt8] = []
        let ending = try header(&pending)
        call.progress(nil, "copying the snapshot")
        switch ending {
        case .mark(let mark): return try copy(&pending, until: mark, to: output)
        case .length(let length): return try copy(&pending, count: length, to: output)
        }
    }

    private func header(_ pending: inout [UInt8]) throws -> Ending {
        while true {
            while pending.first == UInt8(ascii: "\n") { pending.removeFirst() }
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(pending[..<end].filter { $0 != UInt8(ascii: "\r") })
                pending.removeFirst(end + 1)
                return try Self.ending(line)
            }
            guard pending.count < 4096 else { throw Self.unexpected }
            pending += try more()
        }
    }

    private static func ending(_ line: [UInt8]) throws -> Ending {
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("-") { throw EngineError.failure(String(text.dropFirst()), purpose: "ask for a snapshot") }
        if text.hasPrefix("$EOF:"), line.count == 5 + markBytes { return .mark(Array(line[5...])) }
        guard text.hasPrefix("$"), let length = Int(text.dropFirst()), length > 0 else { throw unexpected }
        return .length(length)
    }

    private func copy(_ pending: inout [UInt8], count: Int, to output: BackupOutput) throws -> Int {
        var left = count
        while true {
            let piece = pending.prefix(left)
            try Descriptors.write(piece, to: output)
            left -= piece.count
            guard left > 0 else { return count }
            pending = try more()
        }
    }

    /// The mark may be cut by the pieces, so as many bytes as it has are held back.
    private func copy(_ pending: inout [UInt8], until mark: [UInt8], to output: BackupOutput) throws -> Int {
        var count = 0
        while true {
            if pending.count >= mark.count, pending.suffix(mark.count).elementsEqual(mark) {
                try Descriptors.write(pending.dropLast(mark.count), to: output)
                return count + pending.count - mark.count
            }
            let sure = max(pending.count - mark.count, 0)
            try Descriptors.write(pending.prefix(sure), to: output)
            count += sure
            pending.removeFirst(sure)
            pending += try more()
        }
    }

    /// The next bytes, at least one.
    private func more() throws -> [UInt8] {
        let descriptor = connection.descriptor
        var waits = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: call.cancelDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        for _ in 0..<Self.silenceSeconds {
            try call.check()
            guard poll(&waits, 2, 1000) > 0, waits[0].revents != 0 else { continue }
            var piece = [UInt8](repeating: 0, count: 1 << 18)
            let count = try Descriptors.read(descriptor, &piece)
            guard count > 0 else {
                throw EngineError.lostConnection("the engine ended the snapshot before it was whole")
            }
            return Array(piece[..<count])
        }
        throw EngineError.lostConnection("the engine sent nothing of its snapshot for \(Self.silenceSeconds) s")
    }

    private static var unexpected: PluginFailure {
        PluginFailure(.internal, "the engine answered the request for a snapshot with something else")
    }
}
