// SPDX-License-Identifier: Apache-2.0

/// One sealed object being read: one thread reads and verifies frames, one decompresses and writes.
struct UnsealPipeline: Sendable {
    let source: any ObjectSource
    let backupID: String
    let key: KeyBytes
    let outputFD: Int32
    let cancellation: Cancellation
    let progress: (@Sendable (Int) -> Void)?

    /// Runs to the end; blocks.
    func run() throws(ObjectStoreError) -> Int {
        let header = try SealHeader(reading: source)
        guard header.backupID == backupID else {
            throw ObjectStoreError(
                .corrupt, "The header names backup \(header.backupID) where \(backupID) was expected.")
        }
        let ring = FrameRing(frames: 3, contentBytes: header.frameBytes)
        let reader = try OwnThread {
            do throws(ObjectStoreError) { try verify(header, into: ring) } catch { ring.fail(error) }
        }
        let result: Result<Int, ObjectStoreError>
        do throws(ObjectStoreError) {
            result = .success(try decompress(from: ring))
        } catch {
            result = .failure(ring.fail(error))
        }
        reader.join()
        return try result.get()
    }

    private func verify(_ header: SealHeader, into ring: FrameRing) throws(ObjectStoreError) {
        let headerDigest = try SHA256.digest(header.encoded)
        var index: UInt64 = 0
        while true {
            try cancellation.check()
            let frame = try ring.takeEmpty()
            try readFrame(frame, index: index)
            let content = UnsafeMutableRawBufferPointer(rebasing: frame.content[0..<frame.count])
            let data = SealFormat.associatedData(
                headerDigest: headerDigest, backupID: backupID, index: index, isFinal: frame.isFinal)
            guard let base = frame.bytes.baseAddress,
                key.open(
                    content, nonce: SealFormat.nonce(index), associatedData: data,
                    tag: base + SealFormat.lengthBytes + frame.count)
            else {
                throw corrupt(index, "it does not verify: changed bytes, another place, another header or another key")
            }
            if frame.isFinal { try requireEnd(after: index) }
            let isFinal = frame.isFinal
            ring.put(filled: frame)
            if isFinal { return }
            index += 1
        }
    }

    private func readFrame(_ frame: FrameBuffer, index: UInt64) throws(ObjectStoreError) {
        let prefix = UnsafeMutableRawBufferPointer(rebasing: frame.bytes[0..<SealFormat.lengthBytes])
        let got = try source.readFully(into: prefix)
        guard got == prefix.count else { throw corrupt(index, got == 0 ? "it is missing" : "its length is cut short") }
        let word = UInt32(SealFormat.number(prefix))
        frame.isFinal = word & SealFormat.finalBit != 0
        frame.count = Int(word & ~SealFormat.finalBit)
        guard frame.isFinal ? frame.count <= frame.content.count : frame.count == frame.content.count else {
            throw corrupt(index, "its length \(frame.count) is impossible")
        }
        let rest = SealFormat.lengthBytes..<(SealFormat.lengthBytes + frame.count + SealFormat.tagBytes)
        guard try source.readFully(into: UnsafeMutableRawBufferPointer(rebasing: frame.bytes[rest])) == rest.count
        else { throw corrupt(index, "it is cut short") }
    }

    private func requireEnd(after index: UInt64) throws(ObjectStoreError) {
        let probe = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { probe.deallocate() }
        guard try source.readFully(into: probe) == 0 else {
            throw corrupt(index + 1, "there are bytes after the last frame")
        }
    }

    private func decompress(from ring: FrameRing) throws(ObjectStoreError) -> Int {
        let output = StreamOutput(fd: outputFD, cancellation: cancellation)
        var decompressor = try Decompressor()
        var index: UInt64 = 0
        while true {
            let frame = try ring.takeFilled()
            do throws(ObjectStoreError) {
                try decompressor.write(UnsafeRawBufferPointer(rebasing: frame.content[0..<frame.count]), to: output)
            } catch  where error.code == .corrupt {
                throw corrupt(index, error.message)
            }
            progress?(decompressor.plainBytes)
            if frame.isFinal {
                guard decompressor.isComplete else { throw corrupt(index, "the zstd stream in it does not end") }
                return decompressor.plainBytes
            }
            ring.put(empty: frame)
            index += 1
        }
    }

    private func corrupt(_ index: UInt64, _ what: String) -> ObjectStoreError {
        ObjectStoreError(.corrupt, "Frame \(index) of backup \(backupID) is damaged: \(what).")
    }
}
