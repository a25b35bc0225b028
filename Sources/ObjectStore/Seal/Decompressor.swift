// SPDX-License-Identifier: Apache-2.0

import CZstd

/// A zstd stream being read. Source: zstd.h, "Streaming decompression".
struct Decompressor: ~Copyable {
    private let context: OpaquePointer
    private let output: UnsafeMutableRawBufferPointer
    /// Whether the stream so far ends where a zstd frame ends.
    private(set) var isComplete = false
    private(set) var plainBytes = 0

    init() throws(ObjectStoreError) {
        guard let context = ZSTD_createDCtx() else { throw ObjectStoreError(.unavailable, "zstd has no memory.") }
        self.context = context
        output = .allocate(byteCount: ZSTD_DStreamOutSize(), alignment: 64)
    }

    deinit {
        ZSTD_freeDCtx(context)
        output.deallocate()
    }

    /// Decompresses all of `input` and hands the plain bytes on piece by piece.
    ///
    /// - Throws: `.corrupt` when it is no zstd stream or goes on after its end; what `write` throws.
    mutating func write(
        _ input: UnsafeRawBufferPointer, to stream: borrowing StreamOutput
    ) throws(ObjectStoreError) {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var isFull = false
        while source.pos < source.size || isFull {
            guard !isComplete else { throw ObjectStoreError(.corrupt, "zstd: bytes after the end of the stream") }
            var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
            let rest = ZSTD_decompressStream(context, &target, &source)
            guard ZSTD_isError(rest) == 0 else {
                throw ObjectStoreError(.corrupt, "zstd: \(String(cString: ZSTD_getErrorName(rest)))")
            }
            isComplete = rest == 0
            isFull = target.pos == target.size && !isComplete
            try stream.write(UnsafeRawBufferPointer(rebasing: output[0..<target.pos]))
            plainBytes += target.pos
        }
    }
}
