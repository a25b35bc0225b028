// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#endif

/// Memory for one frame: length, content, tag, in the order of the file.
///
/// Reason for `@unchecked`: the ring hands a frame to one thread at a time.
final class FrameBuffer: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer
    /// Content bytes in use.
    var count = 0
    var isFinal = false
    /// Bytes of the stream up to the end of this frame, before compression.
    var plainBytes = 0

    init(contentBytes: Int) {
        bytes = .allocate(byteCount: SealFormat.lengthBytes + contentBytes + SealFormat.tagBytes, alignment: 64)
    }

    /// The part for content.
    var content: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            rebasing: bytes[SealFormat.lengthBytes..<(bytes.count - SealFormat.tagBytes)])
    }

    deinit { bytes.deallocate() }
}

/// A few frames that two threads hand each other: empty ones one way, filled ones the other.
///
/// Waiting ends when the other side takes, puts or fails; each side does one of them when it ends, whatever happens.
/// Reason for `@unchecked`: all fields are read and written under `mutex`.
final class FrameRing: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var empty: [FrameBuffer]
    private var filled: [FrameBuffer] = []
    private var failure: ObjectStoreError?

    init(frames: Int, contentBytes: Int) {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        empty = (0..<frames).map { _ in FrameBuffer(contentBytes: contentBytes) }
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// An empty frame; waits for one.
    func takeEmpty() throws(ObjectStoreError) -> FrameBuffer { try take(from: \.empty) }

    /// The oldest filled frame; waits for one.
    func takeFilled() throws(ObjectStoreError) -> FrameBuffer { try take(from: \.filled) }

    func put(filled frame: FrameBuffer) { change { filled.append(frame) } }

    func put(empty frame: FrameBuffer) { change { empty.append(frame) } }

    /// Ends both sides' waiting with `error`; the first failure wins and is returned.
    @discardableResult
    func fail(_ error: ObjectStoreError) -> ObjectStoreError {
        var first = error
        change {
            first = failure ?? error
            failure = first
        }
        return first
    }

    private func take(
        from queue: ReferenceWritableKeyPath<FrameRing, [FrameBuffer]>
    ) throws(ObjectStoreError) -> FrameBuffer {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let failure { throw failure }
            if !self[keyPath: queue].isEmpty { return self[keyPath: queue].removeFirst() }
            pthread_cond_wait(changed, mutex)
        }
    }

    private func change(_ body: () -> Void) {
        pthread_mutex_lock(mutex)
        body()
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }
}
