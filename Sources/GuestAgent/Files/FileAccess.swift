// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// The few file operations that the agent needs, without Foundation.
enum FileAccess {
    /// The whole file; nil when there is none.
    ///
    /// - Throws: `.storage` naming file and reason; also for a file above `limit` bytes.
    static func read(_ path: String, limit: Int = 16 << 20) throws(GuestAgentError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("read", path)
        }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            guard count > 0 else { return content }
            content.append(contentsOf: chunk[..<count])
            guard content.count <= limit else {
                throw GuestAgentError(.storage, "'\(path)' is larger than \(limit) bytes")
            }
        }
    }

    /// Replaces the file as a whole: a reader sees the old content or the new one, also after a power failure.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(GuestAgentError) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure("write", temporary) }
        let written = writeAll(bytes, to: descriptor) && fsync(descriptor) == 0
        let reason = errno
        close(descriptor)
        guard written else {
            unlink(temporary)
            throw failure("write", temporary, reason)
        }
        guard rename(temporary, path) == 0 else { throw failure("replace", path) }
        synchronizeDirectory(of: path)
    }

    /// Replaces the file without waiting for the disk: enough for what only a crash of this process must not lose.
    static func writeQuickly(_ bytes: [UInt8], to path: String) throws(GuestAgentError) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("write", temporary) }
        let written = writeAll(bytes, to: descriptor)
        let reason = errno
        close(descriptor)
        guard written, rename(temporary, path) == 0 else {
            let cause = written ? errno : reason
            unlink(temporary)
            throw failure("write", path, cause)
        }
    }

    static func remove(_ path: String) throws(GuestAgentError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Makes a directory of the agent's own with mode 0700; one that is there is fine.
    static func makeDirectory(_ path: String) throws(GuestAgentError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make", path) }
    }

    /// Names in a directory, without `.` and `..`; empty when there is none.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The file's JSON; nil when there is none.
    static func readJSON(_ path: String) throws(GuestAgentError) -> JSONValue? {
        guard let bytes = try read(path) else { return nil }
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw GuestAgentError(.storage, "'\(path)' is not JSON: \(error.message)")
        }
    }

    static func writeJSON(_ value: JSONValue, to path: String) throws(GuestAgentError) {
        try write(value.serialized, to: path)
    }

    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }

    private static func synchronizeDirectory(of path: String) {
        guard let slash = path.lastIndex(of: "/") else { return }
        let descriptor = open(String(path[..<slash]) + "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    static func failure(_ verb: String, _ path: String, _ reason: Int32 = errno) -> GuestAgentError {
        GuestAgentError(.storage, "cannot \(verb) '\(path)': \(String(cString: strerror(reason)))")
    }
}
