// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc

/// A stream that takes a backup in memory, as slowly or as badly as asked.
///
/// Unchecked: used by one call at a time.
final class TestSink: @unchecked Sendable {
    /// Bytes after which writes fail; nil: never.
    var failsAfter: Int?
    /// Bytes that one write takes at most; nil: all.
    var takes: Int?
    private(set) var attempts = 0
    private(set) var count = 0
    private(set) var digest: UInt64 = 14_695_981_039_346_656_037
    let table: UnsafeMutablePointer<trove_ostream_1>

    /// A strategy that does not stop at an error is stopped by the clock, not by this.
    static let limit = 4 << 30

    init() {
        table = .allocate(capacity: 1)
        table.initialize(to: trove_ostream_1())
        table.pointee = trove_ostream_1(
            size: UInt32(MemoryLayout<trove_ostream_1>.size), fd: -1, ctx: Unmanaged.passUnretained(self).toOpaque(),
            write: { stream, data, count in
                guard let context = stream?.pointee.ctx else { return -1 }
                return Unmanaged<TestSink>.fromOpaque(context).takeUnretainedValue().write(data, count)
            })
    }

    deinit { table.deallocate() }

    func reset() {
        (attempts, count, digest) = (0, 0, 14_695_981_039_346_656_037)
    }

    private func write(_ data: UnsafeRawPointer?, _ length: Int) -> Int64 {
        attempts += 1
        if attempts > 1000, failsAfter != nil { usleep(1000) }
        guard let data, length > 0 else { return 0 }
        if let failsAfter, count + length > failsAfter { return -1 }
        let taken = min(length, takes ?? length)
        for byte in UnsafeRawBufferPointer(start: data, count: taken) {
            digest = (digest ^ UInt64(byte)) &* 1_099_511_628_211
        }
        count += taken
        return Int64(taken)
    }
}

/// A stream to restore from.
///
/// Unchecked: used by one call at a time.
final class TestSource: @unchecked Sendable {
    var content: [UInt8] = []
    var fails = false
    private var offset = 0
    let table: UnsafeMutablePointer<trove_istream_1>

    init() {
        table = .allocate(capacity: 1)
        table.initialize(to: trove_istream_1())
        table.pointee = trove_istream_1(
            size: UInt32(MemoryLayout<trove_istream_1>.size), fd: -1, ctx: Unmanaged.passUnretained(self).toOpaque(),
            read: { stream, buffer, capacity in
                guard let context = stream?.pointee.ctx else { return -1 }
                return Unmanaged<TestSource>.fromOpaque(context).takeUnretainedValue().read(buffer, capacity)
            })
    }

    deinit { table.deallocate() }

    func reset() { offset = 0 }

    private func read(_ buffer: UnsafeMutableRawPointer?, _ capacity: Int) -> Int64 {
        guard !fails, let buffer else { return -1 }
        let count = min(capacity, content.count - offset)
        guard count > 0 else { return 0 }
        content.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { buffer.copyMemory(from: start + offset, byteCount: count) }
        }
        offset += count
        return Int64(count)
    }
}
