// SPDX-License-Identifier: Apache-2.0

import Model

#if canImport(Glibc)
    import Glibc
#endif

/// Small files of mode 0600 in one directory, replaced as a whole; blocking.
struct PrivateFiles: Sendable {
    static let maximumBytes = 16 << 20

    let directory: String

    /// Which version of a file is on the disk.
    struct Stamp: Sendable, Hashable {
        var inode: UInt64
        var size: Int64
        var seconds: Int64
        var nanoseconds: Int64
    }

    func path(_ name: String) -> String { directory + "/" + name }

    /// Makes the directory 0700, with its parents.
    func makeDirectory() throws(IdentityError) { try Self.makeDirectory(directory) }

    /// `nil` for a file that is not there.
    func stamp(_ name: String) -> Stamp? {
        var status = stat()
        guard stat(path(name), &status) == 0 else { return nil }
        return Stamp(
            inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: Int64(status.st_mtim.tv_sec),
            nanoseconds: Int64(status.st_mtim.tv_nsec))
    }

    /// The whole content; `nil` when there is no such file.
    ///
    /// - Throws: `.files` when it cannot be read, or when others may read it.
    func read(_ name: String) throws(IdentityError) -> [UInt8]? {
        let fd = open(path(name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard fd >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("open", name)
        }
        defer { close(fd) }
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw IdentityError(.files, "Others may read \(path(name)); set its mode to 0600.")
        }
        guard status.st_size <= Self.maximumBytes else {
            throw IdentityError(.files, "\(path(name)) is larger than \(Self.maximumBytes) bytes.")
        }
        var content = [UInt8](repeating: 0, count: Int(status.st_size))
        var offset = 0
        while offset < content.count {
            let count = content.withUnsafeMutableBytes {
                Glibc.read(fd, $0.baseAddress.map { $0 + offset }, $0.count - offset)
            }
            if count > 0 {
                offset += count
            } else if count == 0 || errno != EINTR {
                throw failure("read", name)
            }
        }
        return content
    }

    /// Writes the file anew, atomically and durably.
    func write(_ name: String, _ content: [UInt8]) throws(IdentityError) {
        let temporary = try writeTemporary(name, content)
        guard rename(temporary, path(name)) == 0 else {
            let error = failure("replace", name)
            unlink(temporary)
            throw error
        }
        try synchronizeDirectory(name)
    }

    /// Writes the file unless there is one.
    func writeNew(_ name: String, _ content: [UInt8]) throws(IdentityError) {
        let temporary = try writeTemporary(name, content)
        defer { unlink(temporary) }
        if link(temporary, path(name)) != 0, errno != EEXIST { throw failure("create", name) }
        try synchronizeDirectory(name)
    }

    /// Runs `body` while no other process or thread runs one under the same name.
    func locked<Value>(_ name: String, _ body: () throws(IdentityError) -> Value) throws(IdentityError) -> Value {
        let fd = open(path(name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard fd >= 0 else { throw failure("open", name) }
        defer { close(fd) }
        while flock(fd, LOCK_EX) != 0 {
            if errno != EINTR { throw failure("lock", name) }
        }
        return try body()
    }

    private func writeTemporary(_ name: String, _ content: [UInt8]) throws(IdentityError) -> String {
        let temporary = path(name) + "~" + SystemRandomSource().bytes(8).hex
        let fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard fd >= 0 else { throw failure("create", name) }
        defer { close(fd) }
        var offset = 0
        while offset < content.count {
            let count = content.withUnsafeBytes {
                Glibc.write(fd, $0.baseAddress.map { $0 + offset }, $0.count - offset)
            }
            if count >= 0 {
                offset += count
            } else if errno != EINTR {
                let error = failure("write", name)
                unlink(temporary)
                throw error
            }
        }
        guard fsync(fd) == 0 else {
            let error = failure("sync", name)
            unlink(temporary)
            throw error
        }
        return temporary
    }

    private func synchronizeDirectory(_ name: String) throws(IdentityError) {
        let fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard fd >= 0 else { throw failure("sync the directory of", name) }
        defer { close(fd) }
        guard fsync(fd) == 0 else { throw failure("sync the directory of", name) }
    }

    private func failure(_ action: String, _ name: String) -> IdentityError {
        IdentityError(.files, "Cannot \(action) \(path(name)): \(String(cString: strerror(errno))).")
    }

    private static func makeDirectory(_ path: String) throws(IdentityError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        let number = errno
        if number == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectory(String(path[..<slash]))
            if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        }
        throw IdentityError(.files, "Cannot make the directory \(path): \(String(cString: strerror(number))).")
    }
}
