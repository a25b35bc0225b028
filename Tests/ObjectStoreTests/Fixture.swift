// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

@testable import ObjectStore

/// An object in memory, so that tests can change its bytes.
final class MemoryObject: ObjectSink, ObjectSource {
    private struct State {
        var bytes: [UInt8]
        var offset = 0
        var isAborted = false
    }

    private let state: Mutex<State>
    private let capacity: Int

    init(_ bytes: [UInt8] = [], capacity: Int = .max) {
        state = Mutex(State(bytes: bytes))
        self.capacity = capacity
    }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var isAborted: Bool { state.withLock { $0.isAborted } }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError) {
        let fits = state.withLock { state in
            guard state.bytes.count + bytes.count <= capacity else { return false }
            state.bytes.append(contentsOf: bytes)
            return true
        }
        guard fits else { throw ObjectStoreError(.full, "No room.") }
    }

    func commit() throws(ObjectStoreError) {}
    func abort() { state.withLock { $0.isAborted = true } }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ObjectStoreError) -> Int {
        state.withLock { state in
            // Odd pieces, so that readers cannot count on whole ones.
            let count = min(buffer.count, state.bytes.count - state.offset, 7777)
            buffer.copyBytes(from: state.bytes[state.offset..<(state.offset + count)])
            state.offset += count
            return count
        }
    }

    func close() {}
}

/// An anonymous file.
final class ScratchFile {
    let fd: Int32

    init(_ content: [UInt8] = []) {
        var template = Array("/tmp/trove-scratch-XXXXXX".utf8CString)
        fd = mkstemp(&template)
        unlink(template)
        var offset = 0
        while offset < content.count {
            let count = content.withUnsafeBytes { write(fd, $0.baseAddress.map { $0 + offset }, $0.count - offset) }
            guard count > 0 else { break }
            offset += count
        }
        lseek(fd, 0, SEEK_SET)
    }

    var content: [UInt8] {
        var status = stat()
        fstat(fd, &status)
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = bytes.withUnsafeMutableBytes { pread(fd, $0.baseAddress, $0.count, 0) }
        return count == bytes.count ? bytes : []
    }

    deinit { close(fd) }
}

/// Both ends of a pipe.
struct PipeEnds {
    let reading: Int32
    let writing: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        (reading, writing) = (ends[0], ends[1])
    }

    /// Writes `total` bytes of `pattern` over and over on a thread of its own, then closes the writing end.
    func feed(_ pattern: [UInt8], total: Int) throws {
        let end = writing
        try OwnThread {
            var sent = 0
            while sent < total {
                let offset = sent % pattern.count
                let count = pattern.withUnsafeBytes {
                    write(end, $0.baseAddress.map { $0 + offset }, min($0.count - offset, total - sent))
                }
                guard count > 0 else { break }
                sent += count
            }
            close(end)
        }.detach()
    }
}

enum Sample {
    static let key = (0..<32).map { UInt8($0) }
    static let wrapped: [UInt8] = [9, 8, 7]

    /// Text-like bytes: compressible by about half, never repeating.
    static func semiCompressible(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var word = seed
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            for shift in stride(from: 32, to: 64, by: 4) {
                bytes.append(UInt8(truncatingIfNeeded: 97 + (word >> shift) & 15))
            }
        }
        return Array(bytes.prefix(count))
    }

    static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Seals `plain` with small frames.
    static func seal(_ plain: [UInt8], backupID: String = "b1", frameBytes: Int = 4096) async throws -> [UInt8] {
        let input = ScratchFile(plain)
        let sink = MemoryObject()
        _ = try await BackupSeal.seal(
            inputFD: input.fd, sink: sink, backupID: backupID, dataKey: key, wrappedKey: wrapped,
            options: SealOptions(frameBytes: frameBytes))
        return sink.bytes
    }

    /// What unsealing leaves: the bytes that came out, and the error.
    static func unseal(
        _ sealed: [UInt8], backupID: String = "b1", key: [UInt8] = key
    ) async -> (plain: [UInt8], error: ObjectStoreError?) {
        let output = ScratchFile()
        do throws(ObjectStoreError) {
            let count = try await BackupSeal.unseal(
                source: MemoryObject(sealed), backupID: backupID, dataKey: key, outputFD: output.fd)
            let plain = output.content
            return (plain, plain.count == count ? nil : ObjectStoreError(.unavailable, "The count is wrong."))
        } catch {
            return (output.content, error)
        }
    }
}
