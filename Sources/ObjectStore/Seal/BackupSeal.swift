// SPDX-License-Identifier: Apache-2.0

/// What sealing a stream came to.
package struct SealResult: Sendable, Hashable {
    /// Bytes read from the engine.
    package var plainBytes: Int
    /// Bytes written to the object.
    package var sealedBytes: Int
    /// SHA-256 of the sealed object, 64 lower-case hexadecimal digits.
    package var sha256: String
}

/// How to seal.
package struct SealOptions: Sendable, Hashable {
    /// zstd level, 1…19.
    package var level: Int
    /// Content bytes of a frame, 4096…8388608.
    package var frameBytes: Int

    package init(level: Int = 1, frameBytes: Int = 1 << 20) {
        self.level = min(max(level, 1), 19)
        self.frameBytes = min(
            max(frameBytes, SealFormat.allowedFrameBytes.lowerBound), SealFormat.allowedFrameBytes.upperBound)
    }
}

/// Compresses and encrypts an engine's stream into an object, and back.
///
/// Both directions use two threads of their own and a few frames of memory, whatever the size of the stream; whoever is
/// slowest holds up all the others. The file is described in docs/backup-format.md.
package enum BackupSeal {
    /// Reads `inputFD` to its end and writes the sealed stream to `sink`.
    ///
    /// A writer that dies looks like one that ends: check that the engine succeeded, then `commit` the sink, which this does
    /// not. When this throws, the sink is aborted. `inputFD` stays open.
    ///
    /// - Parameters:
    ///   - inputFD: A pipe, socket or file.
    ///   - sink: A new object.
    ///   - backupID: Tied to every frame.
    ///   - dataKey: 32 bytes made for this backup; sealing two streams with one data key would break the cipher.
    ///   - wrappedKey: Stands in the header, at most 1024 bytes.
    ///   - options: Level and frame size.
    ///   - isCancelled: Asked at least five times a second, from other threads.
    ///   - progress: Told the plain bytes so far after each frame, from another thread.
    /// - Throws: `.cancelled`, `.full`, `.unavailable`, `.key`, `.invalidName`.
    package static func seal(
        inputFD: Int32,
        sink: any ObjectSink,
        backupID: String,
        dataKey: [UInt8],
        wrappedKey: [UInt8],
        options: SealOptions = SealOptions(),
        isCancelled: @escaping @Sendable () -> Bool = { false },
        progress: (@Sendable (Int) -> Void)? = nil
    ) async throws(ObjectStoreError) -> SealResult {
        let cancellation = Cancellation(isCancelled)
        do throws(ObjectStoreError) {
            let header = try SealHeader(
                backupID: backupID, wrappedKey: wrappedKey, frameBytes: options.frameBytes)
            let pipeline = SealPipeline(
                inputFD: inputFD, sink: sink, header: header, key: try KeyBytes(dataKey), level: options.level,
                cancellation: cancellation, progress: progress)
            return try await cancellable(cancellation) { () throws(ObjectStoreError) in try pipeline.run() }
        } catch {
            sink.abort()
            throw error
        }
    }

    /// Writes the stream that was sealed into `source` to `outputFD`.
    ///
    /// No byte of a frame is written before the frame is verified. When this throws, what was written is only a beginning and
    /// must not be used. `source` and `outputFD` stay open; `outputFD` is non-blocking meanwhile.
    ///
    /// - Returns: Plain bytes written.
    /// - Throws: `.corrupt` naming the frame; `.outputClosed` when the reader is gone; `.cancelled`, `.full`, `.unavailable`.
    package static func unseal(
        source: any ObjectSource,
        backupID: String,
        dataKey: [UInt8],
        outputFD: Int32,
        isCancelled: @escaping @Sendable () -> Bool = { false },
        progress: (@Sendable (Int) -> Void)? = nil
    ) async throws(ObjectStoreError) -> Int {
        let cancellation = Cancellation(isCancelled)
        let pipeline = UnsealPipeline(
            source: source, backupID: backupID, key: try KeyBytes(dataKey), outputFD: outputFD,
            cancellation: cancellation, progress: progress)
        return try await cancellable(cancellation) { () throws(ObjectStoreError) in try pipeline.run() }
    }

    /// Reads the header at the source's start; blocks. Nothing of it is authenticated before `unseal` has read the first frame.
    ///
    /// - Throws: `.corrupt`, `.unavailable`.
    package static func header(source: any ObjectSource) throws(ObjectStoreError) -> SealHeader {
        try SealHeader(reading: source)
    }

    private static func cancellable<Value: Sendable>(
        _ cancellation: Cancellation,
        _ body: @escaping @Sendable () throws(ObjectStoreError) -> Value
    ) async throws(ObjectStoreError) -> Value {
        let result: Result<Value, ObjectStoreError> = await withTaskCancellationHandler {
            do throws(ObjectStoreError) {
                return .success(try await OwnThread.run(body))
            } catch {
                return .failure(error)
            }
        } onCancel: {
            cancellation.cancel()
        }
        return try result.get()
    }
}
