// SPDX-License-Identifier: Apache-2.0

import CZstd

#if canImport(Glibc)
    import Glibc
#endif

/// A whole file in zstd. Source: RFC 8878; zstd.h, "Streaming decompression".
package enum ZstdFile {
    /// Writes what the file `source` holds to `target`, both from where they stand. Blocks.
    ///
    /// - Parameter limit: Plain bytes; a small file may hold endlessly many.
    /// - Throws: `.corrupt` for what is no zstd file or is cut off, `.full` past the limit and for a file without room.
    package static func decompress(from source: Int32, to target: Int32, limit: Int) throws(ObjectStoreError) {
        guard let context = ZSTD_createDCtx() else { throw ObjectStoreError(.unavailable, "zstd has no memory.") }
        defer { ZSTD_freeDCtx(context) }
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: ZSTD_DStreamInSize(), alignment: 64)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: ZSTD_DStreamOutSize(), alignment: 64)
        defer {
            input.deallocate()
            output.deallocate()
        }
        var plain = 0
        // 0 where a frame ends; an empty file ends before its first.
        var rest = 1
        while let piece = try read(source, input) {
            var from = ZSTD_inBuffer(src: piece.baseAddress, size: piece.count, pos: 0)
            var isFull = false
            while from.pos < from.size || isFull {
                var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
                rest = ZSTD_decompressStream(context, &to, &from)
                guard ZSTD_isError(rest) == 0 else {
                    throw ObjectStoreError(.corrupt, "It is no zstd file: \(String(cString: ZSTD_getErrorName(rest))).")
                }
                isFull = to.pos == to.size && rest != 0
                plain += to.pos
                guard plain <= limit else {
                    throw ObjectStoreError(.full, "It holds more than \(limit) bytes.")
                }
                try write(target, UnsafeRawBufferPointer(rebasing: output[0..<to.pos]))
            }
        }
        guard rest == 0 else { throw ObjectStoreError(.corrupt, "It is a zstd file that is cut off.") }
    }

    private static func read(
        _ file: Int32, _ buffer: UnsafeMutableRawBufferPointer
    ) throws(ObjectStoreError) -> UnsafeRawBufferPointer? {
        while true {
            let count = Glibc.read(file, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw ObjectStoreError(errno: errno, "read", path: "the zstd file") }
            return count == 0 ? nil : UnsafeRawBufferPointer(rebasing: buffer[0..<count])
        }
    }

    private static func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError) {
        var offset = 0
        while offset < bytes.count {
            let count = Glibc.write(file, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw ObjectStoreError(errno: errno, "write", path: "the unpacked file") }
            offset += count
        }
    }
}
