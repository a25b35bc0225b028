// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// A log that an engine writes, opened for reading.
///
/// The engine may do with its directories what it likes and the agent may read more than the engine: no link is followed below
/// the root, and only a plain file with one name is read.
final class EngineLogFile {
    let path: String
    let sizeBytes: Int
    private let descriptor: Int32

    /// Bytes of a file's beginning by which it is recognised.
    static let headBytes = 256

    /// - Parameter roots: Absolute directories; the file must lie below one of them.
    /// - Returns: nil when there is no such file.
    /// - Throws: `.invalid` for a file elsewhere or of another kind, `.storage`.
    init?(path: String, roots: [String]) throws(GuestAgentError) {
        guard let root = roots.first(where: { path.hasPrefix($0 + "/") }) else {
            throw GuestAgentError(.invalid, "the log '\(path)' lies outside of the instance's directories")
        }
        let parts = path.dropFirst(root.count + 1).split(separator: "/").map(String.init)
        guard !parts.isEmpty, !parts.contains(".."), !parts.contains(".") else {
            throw GuestAgentError(.invalid, "'\(path)' is no path of a log")
        }
        var current = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        for (index, part) in parts.enumerated() {
            guard current >= 0 else { break }
            let isLast = index == parts.count - 1
            let next = openat(
                current, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (isLast ? O_NONBLOCK : O_DIRECTORY))
            let reason = errno
            close(current)
            current = next
            errno = reason
        }
        guard current >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FileAccess.failure("read", path)
        }
        var information = stat()
        guard fstat(current, &information) == 0, information.st_mode & S_IFMT == S_IFREG, information.st_nlink == 1
        else {
            close(current)
            throw GuestAgentError(.invalid, "'\(path)' is not a plain file of its own")
        }
        self.path = path
        descriptor = current
        sizeBytes = Int(information.st_size)
    }

    deinit { close(descriptor) }

    /// Up to `count` bytes from `offset`; fewer at the file's end.
    func read(_ count: Int, from offset: Int) throws(GuestAgentError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let more = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
            }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw FileAccess.failure("read", path) }
            if more == 0 { break }
            filled += more
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// What the file begins with, up to `bytes`.
    func head(_ bytes: Int = headBytes) throws(GuestAgentError) -> LogRecord.Head {
        let beginning = try read(min(bytes, sizeBytes), from: 0)
        return LogRecord.Head(bytes: beginning.count, digest: StableHash.digits(beginning))
    }
}
