// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#endif

/// A file under its partial name until `commit`.
///
/// Reason for `@unchecked`: one thread at a time uses a sink, by the protocol's contract.
final class DirectoryObjectSink: ObjectSink, @unchecked Sendable {
    private enum State { case writing, committed, aborted }

    private let file: Descriptor
    private let directory: Descriptor
    private let partial: String
    private let final: String
    private let path: String
    private var state = State.writing

    init(
        file: consuming Descriptor, directory: consuming Descriptor, partial: String, final: String, path: String
    ) {
        self.file = file
        self.directory = directory
        self.partial = partial
        self.final = final
        self.path = path
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError) {
        try requireWriting()
        var offset = 0
        while offset < bytes.count {
            let count = Glibc.write(file.number, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if count >= 0 {
                offset += count
            } else if errno != EINTR {
                throw ObjectStoreError(errno: errno, "write", path: path)
            }
        }
    }

    func commit() throws(ObjectStoreError) {
        try requireWriting()
        try file.synchronize(path: path)
        guard renameat(directory.number, partial, directory.number, final) == 0 else {
            if errno == ENOENT {
                throw ObjectStoreError(.notFound, "The unfinished file of \(path) was deleted or replaced meanwhile.")
            }
            throw ObjectStoreError(errno: errno, "publish", path: path)
        }
        state = .committed
        try directory.synchronize(path: path)
    }

    func abort() {
        guard state == .writing else { return }
        state = .aborted
        unlinkat(directory.number, partial, 0)
    }

    private func requireWriting() throws(ObjectStoreError) {
        guard state == .writing else {
            throw ObjectStoreError(.unavailable, "\(path) is no longer being written; create it again.")
        }
    }

    deinit { abort() }
}
