// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Model

#if canImport(Glibc)
    import Glibc
#endif

/// One project's keys on disk: a line `<version> <64 hexadecimal digits>` each, versions ascending from 1.
struct ProjectKeyFile {
    private let directory: String
    private let path: String

    init(directory: String, projectID: String) throws(ObjectStoreError) {
        guard ObjectName.isComponent(projectID) else {
            throw ObjectStoreError(.invalidName, "A project id is letters, digits, '.', '_' and '-'.")
        }
        self.directory = directory
        path = directory + "/" + projectID + ".key"
    }

    /// The newest key; made when the project has none.
    func newest() throws(ObjectStoreError) -> (version: UInt32, key: KeyBytes) {
        while true {
            do throws(ObjectStoreError) {
                if let last = try read().last { return last }
                throw malformed
            } catch  where error.code == .notFound {
                try create()
            }
        }
    }

    /// - Throws: `.key` when the project has no key of that version.
    func key(version: UInt32) throws(ObjectStoreError) -> KeyBytes {
        let all: [(version: UInt32, key: KeyBytes)]
        do throws(ObjectStoreError) { all = try read() } catch  where error.code == .notFound {
            throw ObjectStoreError(.key, "The key file \(path) is missing; restore it to read this project's backups.")
        }
        guard let found = all.first(where: { $0.version == version }) else {
            throw ObjectStoreError(.key, "Key version \(version) is missing in \(path).")
        }
        return found.key
    }

    /// Adds a key of the next version, under an exclusive lock.
    func rotate() throws(ObjectStoreError) -> UInt32 {
        _ = try newest()
        let lock = try Descriptor(
            at: AT_FDCWD, path + ".lock", flags: O_RDWR | O_CREAT, mode: 0o600, action: "lock", path: path)
        while flock(lock.number, LOCK_EX) != 0 {
            if errno != EINTR { throw ObjectStoreError(errno: errno, "lock", path: path) }
        }
        guard let last = try read().last else { throw malformed }
        var content = try bytes() + Self.line(last.version + 1)
        defer { content.cleanse() }
        let temporary = try writeTemporary(content)
        guard rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw ObjectStoreError(errno: number, "replace", path: path)
        }
        try synchronizeDirectory()
        return last.version + 1
    }

    private var malformed: ObjectStoreError {
        ObjectStoreError(.key, "The key file \(path) is malformed; restore it from its backup.")
    }

    /// Writes a file with one key; of several writers the first wins.
    private func create() throws(ObjectStoreError) {
        if mkdir(directory, 0o700) != 0, errno != EEXIST {
            throw ObjectStoreError(errno: errno, "make the directory", path: directory)
        }
        var content = try Self.line(1)
        defer { content.cleanse() }
        let temporary = try writeTemporary(content)
        defer { unlink(temporary) }
        if link(temporary, path) != 0, errno != EEXIST {
            throw ObjectStoreError(errno: errno, "create", path: path)
        }
        try synchronizeDirectory()
    }

    private static func line(_ version: UInt32) throws(ObjectStoreError) -> [UInt8] {
        var key = try ProjectKeys.random(32)
        defer { key.cleanse() }
        return Array("\(version) \(key.hex)\n".utf8)
    }

    private func writeTemporary(_ content: [UInt8]) throws(ObjectStoreError) -> String {
        let temporary = path + "~" + SystemRandomSource().bytes(8).hex
        let file = try Descriptor(
            at: AT_FDCWD, temporary, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, action: "create", path: path)
        let count = content.withUnsafeBytes { write(file.number, $0.baseAddress, $0.count) }
        guard count == content.count else {
            let number = count < 0 ? errno : ENOSPC
            unlink(temporary)
            throw ObjectStoreError(errno: number, "write", path: path)
        }
        try file.synchronize(path: path)
        return temporary
    }

    private func synchronizeDirectory() throws(ObjectStoreError) {
        let number = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw ObjectStoreError(errno: errno, "open", path: directory) }
        try Descriptor(owning: number).synchronize(path: directory)
    }

    private func bytes() throws(ObjectStoreError) -> [UInt8] {
        let file = try Descriptor(at: AT_FDCWD, path, flags: O_RDONLY, action: "open", path: path)
        var status = stat()
        guard fstat(file.number, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw ObjectStoreError(.permissionDenied, "Others may read the key file \(path); set its mode to 0600.")
        }
        var content = [UInt8](repeating: 0, count: Int(min(max(status.st_size, 0), 1 << 20)))
        let count = content.withUnsafeMutableBytes { Glibc.read(file.number, $0.baseAddress, $0.count) }
        guard count == content.count else { throw ObjectStoreError(errno: EIO, "read", path: path) }
        return content
    }

    private func read() throws(ObjectStoreError) -> [(version: UInt32, key: KeyBytes)] {
        var content = try bytes()
        defer { content.cleanse() }
        var keys: [(version: UInt32, key: KeyBytes)] = []
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: " "))
            guard parts.count == 2, let version = UInt32(String(decoding: parts[0], as: UTF8.self)),
                version > keys.last?.version ?? 0, var bytes = Self.decode(parts[1])
            else { throw malformed }
            defer { bytes.cleanse() }
            keys.append((version, try KeyBytes(bytes)))
        }
        guard !keys.isEmpty else { throw malformed }
        return keys
    }

    private static func decode(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            guard let value = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
            if let first = high {
                bytes.append(first << 4 | UInt8(value))
                high = nil
            } else {
                high = UInt8(value)
            }
        }
        return bytes
    }
}
