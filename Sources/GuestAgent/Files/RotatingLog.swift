// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A log file that a process writes through a descriptor it was given, kept below a size from outside.
///
/// Shape: `path`, and the `path.1` … `path.<kept>` before it. The writer holds the file open for append, also while no
/// agent runs, so the file is copied and cut to zero, never renamed; what is written between copy and cut is lost.
struct RotatingLog: Sendable {
    let path: String
    var limitBytes: Int = 8 << 20
    var kept: Int = 2

    /// Gives the body a descriptor for append, to hand on to the writer.
    ///
    /// - Throws: `.storage` naming the file, and what the body throws.
    func withDescriptor<Value>(_ body: (Int32) throws(GuestAgentError) -> Value) throws(GuestAgentError) -> Value {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw FileAccess.failure("open", path) }
        defer { close(descriptor) }
        fchmod(descriptor, 0o640)
        return try body(descriptor)
    }

    /// Moves the content on when it has grown past the limit. Blocks for the copy.
    ///
    /// - Returns: Whether the file was cut.
    @discardableResult
    func rotateIfNeeded() throws(GuestAgentError) -> Bool {
        var information = stat()
        guard stat(path, &information) == 0, information.st_size > limitBytes else { return false }
        for index in stride(from: kept, to: 1, by: -1) { rename("\(path).\(index - 1)", "\(path).\(index)") }
        try copy(to: "\(path).1", bytes: Int(information.st_size))
        guard truncate(path, 0) == 0 else { throw FileAccess.failure("cut", path) }
        return true
    }

    /// Copies the last `limitBytes` of the file.
    private func copy(to target: String, bytes: Int) throws(GuestAgentError) {
        let source = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard source >= 0 else { throw FileAccess.failure("read", path) }
        defer { close(source) }
        let sink = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard sink >= 0 else { throw FileAccess.failure("write", target) }
        defer { close(sink) }
        var offset = off_t(max(0, bytes - limitBytes))
        while offset < bytes {
            let count = sendfile(sink, source, &offset, bytes - Int(offset))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileAccess.failure("write", target) }
            guard count > 0 else { return }
        }
    }
}
