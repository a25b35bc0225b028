// SPDX-License-Identifier: Apache-2.0

import CZstd
import Model

/// One stream being sealed: one thread reads and compresses, one encrypts, hashes and writes.
struct SealPipeline: Sendable {
    let inputFD: Int32
    let sink: any ObjectSink
    let header: SealHeader
    let key: KeyBytes
    let level: Int
    let cancellation: Cancellation
    let progress: (@Sendable (Int) -> Void)?

    /// Runs to the end; blocks.
    func run() throws(ObjectStoreError) -> SealResult {
        let ring = FrameRing(frames: 3, contentBytes: header.frameBytes)
        let reader = try OwnThread {
            do throws(ObjectStoreError) { try compress(into: ring) } catch { ring.fail(error) }
        }
        let result: Result<SealResult, ObjectStoreError>
        do throws(ObjectStoreError) {
            result = .success(try encrypt(from: ring))
        } catch {
            result = .failure(ring.fail(error))
        }
        reader.join()
        return try result.get()
    }

    private func compress(into ring: FrameRing) throws(ObjectStoreError) {
        let input = StreamInput(fd: inputFD, cancellation: cancellation)
        let compressor = try Compressor(level: level)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Compressor.inputBytes, alignment: 64)
        defer { buffer.deallocate() }
        var frame = try ring.takeEmpty()
        var filled = 0
        var plainBytes = 0
        while true {
            let count = try input.read(into: buffer)
            plainBytes += count
            var piece = ZSTD_inBuffer(src: buffer.baseAddress, size: count, pos: 0)
            while try !compressor.step(&piece, isEnd: count == 0, into: frame.content, filled: &filled) {
                guard filled == header.frameBytes else { continue }
                hand(frame, filled, plainBytes, isFinal: false, to: ring)
                frame = try ring.takeEmpty()
                filled = 0
            }
            if count == 0 { break }
        }
        hand(frame, filled, plainBytes, isFinal: true, to: ring)
    }

    private func hand(_ frame: FrameBuffer, _ count: Int, _ plainBytes: Int, isFinal: Bool, to ring: FrameRing) {
        frame.count = count
        frame.plainBytes = plainBytes
        frame.isFinal = isFinal
        ring.put(filled: frame)
    }

    private func encrypt(from ring: FrameRing) throws(ObjectStoreError) -> SealResult {
        let hash = try SHA256()
        let encoded = header.encoded
        let headerDigest = try SHA256.digest(encoded)
        try emit(encoded, hash)
        var sealedBytes = encoded.count
        var index: UInt64 = 0
        while true {
            let frame = try ring.takeFilled()
            let bytes = try seal(frame, index: index, headerDigest: headerDigest)
            hash.update(bytes)
            try sink.write(bytes)
            sealedBytes += bytes.count
            progress?(frame.plainBytes)
            if frame.isFinal {
                return SealResult(
                    plainBytes: frame.plainBytes, sealedBytes: sealedBytes, sha256: hash.finish().hex)
            }
            ring.put(empty: frame)
            index += 1
            guard index < SealFormat.maximumFrames else {
                throw ObjectStoreError(.full, "Backup \(header.backupID) is larger than the format allows.")
            }
        }
    }

    /// Encrypts a frame in place; its bytes as they stand in the file.
    private func seal(
        _ frame: FrameBuffer, index: UInt64, headerDigest: [UInt8]
    ) throws(ObjectStoreError) -> UnsafeRawBufferPointer {
        let content = UnsafeMutableRawBufferPointer(rebasing: frame.content[0..<frame.count])
        let end = SealFormat.lengthBytes + frame.count + SealFormat.tagBytes
        let whole = UnsafeMutableRawBufferPointer(rebasing: frame.bytes[0..<end])
        let length = UInt32(frame.count) | (frame.isFinal ? SealFormat.finalBit : 0)
        whole.copyBytes(from: SealFormat.bytes(length))
        guard let base = whole.baseAddress else { return UnsafeRawBufferPointer(whole) }
        try key.seal(
            content, nonce: SealFormat.nonce(index),
            associatedData: SealFormat.associatedData(
                headerDigest: headerDigest, backupID: header.backupID, index: index, isFinal: frame.isFinal),
            tag: base + SealFormat.lengthBytes + frame.count)
        return UnsafeRawBufferPointer(whole)
    }

    private func emit(_ bytes: [UInt8], _ hash: borrowing SHA256) throws(ObjectStoreError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        hash.update(UnsafeRawBufferPointer(buffer))
        try sink.write(UnsafeRawBufferPointer(buffer))
    }
}
