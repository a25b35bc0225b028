// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#endif

/// A published file, read from start to end.
///
/// Reason for `@unchecked`: one thread at a time uses a source, by the protocol's contract.
final class DirectoryObjectSource: ObjectSource, @unchecked Sendable {
    private var file: Descriptor?
    private let path: String

    init(file: consuming Descriptor, path: String) {
        self.file = consume file
        self.path = path
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ObjectStoreError) -> Int {
        guard let number = file?.number else {
            throw ObjectStoreError(.unavailable, "\(path) was closed; open it again.")
        }
        while true {
            let count = Glibc.read(number, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR { throw ObjectStoreError(errno: errno, "read", path: path) }
        }
    }

    func close() { file = nil }
}
