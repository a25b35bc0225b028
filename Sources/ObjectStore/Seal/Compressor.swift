// SPDX-License-Identifier: Apache-2.0

import CZstd

/// A zstd stream being made. Source: zstd.h, "Streaming compression".
struct Compressor: ~Copyable {
    private let context: OpaquePointer

    /// - Parameter level: 1 (fast) to 19 (small).
    init(level: Int) throws(ObjectStoreError) {
        guard let context = ZSTD_createCCtx() else { throw ObjectStoreError(.unavailable, "zstd has no memory.") }
        self.context = context
        // Levels 1…19 cannot be refused; zstd itself brings others into its range.
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Bytes that a call takes best.
    static var inputBytes: Int { ZSTD_CStreamInSize() }

    /// Compresses from `input`, starting at its `pos`, into `output[filled...]`.
    ///
    /// - Returns: Whether nothing waits inside: all input taken or, with `isEnd`, the stream closed.
    borrowing func step(
        _ input: inout ZSTD_inBuffer, isEnd: Bool, into output: UnsafeMutableRawBufferPointer, filled: inout Int
    ) throws(ObjectStoreError) -> Bool {
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: filled)
        let rest = ZSTD_compressStream2(context, &target, &input, isEnd ? ZSTD_e_end : ZSTD_e_continue)
        filled = target.pos
        try Self.check(rest)
        return isEnd ? rest == 0 : input.pos == input.size
    }

    private static func check(_ code: Int) throws(ObjectStoreError) {
        guard ZSTD_isError(code) != 0 else { return }
        throw ObjectStoreError(.unavailable, "zstd cannot compress: \(String(cString: ZSTD_getErrorName(code))).")
    }
}
