// SPDX-License-Identifier: Apache-2.0

public import Glibc

/// Small files of a plugin, written whole.
public enum PluginFiles {
    /// Who may read a file, and whose it is.
    public struct Access {
        /// Permission bits.
        public var mode: mode_t
        /// Whose it becomes, if the agent may give files away; `nil` for the agent's.
        public var owner: (uid: UInt32, gid: UInt32)?

        /// Who may read, and whose it becomes.
        public init(mode: mode_t, owner: (uid: UInt32, gid: UInt32)? = nil) {
            self.mode = mode
            self.owner = owner
        }

        /// The writer's alone.
        public static var secret: Access { Access(mode: 0o600) }
    }

    /// Replaces `path` by a file with `text`, so that a reader sees the old one or the new one.
    ///
    /// A link that somebody put in its place is replaced, not followed.
    public static func write(_ text: String, to path: String, _ access: Access) throws {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, access.mode)
        guard descriptor >= 0 else { throw failure("create", draft) }
        defer { Glibc.close(descriptor) }
        do {
            guard fchmod(descriptor, access.mode) == 0 else { throw failure("set the mode of", draft) }
            if let owner = access.owner, geteuid() == 0 {
                guard fchown(descriptor, owner.uid, owner.gid) == 0 else { throw failure("give away", draft) }
            }
            try write(Array(text.utf8), descriptor, draft)
            guard fsync(descriptor) == 0 else { throw failure("sync", draft) }
            guard rename(draft, path) == 0 else { throw failure("rename", draft) }
        } catch {
            unlink(draft)
            throw error
        }
    }

    /// The text of a file; `nil` if there is none.
    public static func read(_ path: String) throws -> String? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("open", path)
        }
        defer { Glibc.close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Deletes a file; one that is not there is fine.
    public static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("delete", path) }
    }

    /// Makes a directory of `owner`'s alone; one that is there is kept.
    public static func makeDirectory(_ path: String, owner: (uid: UInt32, gid: UInt32)) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make the directory", path) }
        guard geteuid() == 0 else { return }
        guard lchown(path, owner.uid, owner.gid) == 0 else { throw failure("give away", path) }
    }

    /// Names in a directory, without its links to itself and its parent, and without a file system's own.
    public static func names(in path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw failure("open", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != "..", name != "lost+found" { names.append(name) }
        }
        return names
    }

    private static func write(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            offset += count
        }
    }

    private static func failure(_ what: String, _ path: String) -> PluginFailure {
        let number = errno
        let status: PluginStatus =
            switch number {
            case ENOSPC, EDQUOT, EMFILE, ENFILE: .exhausted
            case EACCES, EPERM: .permissionDenied
            case ENOENT: .notFound
            default: .internal
            }
        return PluginFailure(
            status, "could not \(what) \(path): \(String(cString: strerror(number)))",
            details: ["os_errno": .int(Int64(number))])
    }
}
