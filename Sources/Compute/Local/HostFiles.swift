// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import Synchronization

/// Small blocking file work with errors that name the path.
enum HostFiles {
    private static let partialNumber = Atomic<UInt64>(0)

    /// An error of a system call on `path`; a full disk is `.exhausted` and retryable.
    static func failure(_ action: String, _ path: String, _ error: Int32) -> ComputeError {
        let text = "cannot \(action) \(path): \(text(of: error))"
        switch error {
        case ENOSPC, EDQUOT: return ComputeError(.exhausted, text, isRetryable: true)
        case ENOENT: return ComputeError(.missing, text)
        case EAGAIN, EBUSY, EINTR, ENOMEM, EMFILE, ENFILE: return ComputeError(.failed, text, isRetryable: true)
        default: return ComputeError(.failed, text)
        }
    }

    /// Runs `body` again, a few times, when something is missing that it has just made: homes on one host share
    /// directories, and one that cleans up takes the empty ones away.
    static func whileOthersCleanUp<Value>(
        _ body: () throws(ComputeError) -> Value
    ) throws(ComputeError) -> Value {
        for _ in 0..<3 {
            do throws(ComputeError) {
                return try body()
            } catch {
                guard error.code == .missing else { throw error }
            }
        }
        return try body()
    }

    static func text(of error: Int32) -> String {
        // glibc's is safe to call from several threads.
        strerror(error).map { String(cString: $0) } ?? "error \(error)"
    }

    static func exists(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0
    }

    static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    /// Apparent size in bytes; nil when the file is not there.
    static func size(_ path: String) -> UInt64? {
        var info = stat()
        return lstat(path, &info) == 0 ? UInt64(info.st_size) : nil
    }

    /// Makes a directory with exactly `mode`; one that exists keeps its own.
    static func makeDirectory(_ path: String, mode: mode_t) throws(ComputeError) {
        if mkdir(path, mode) == 0 {
            guard chmod(path, mode) == 0 else { throw failure("set the mode of", path, errno) }
        } else if errno != EEXIST {
            throw failure("make directory", path, errno)
        }
    }

    /// Makes missing directories above and at `path`; new ones get `mode`.
    static func makeDirectories(_ path: String, mode: mode_t) throws(ComputeError) {
        guard !exists(path) else { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectories(String(path[..<slash]), mode: mode)
        }
        try makeDirectory(path, mode: mode)
    }

    /// Refuses a directory in which somebody else could exchange files: below `/tmp` anyone may have made it first.
    static func requireOwn(_ path: String) throws(ComputeError) {
        var info = stat()
        guard lstat(path, &info) == 0 else { throw failure("look at", path, errno) }
        guard info.st_mode & S_IFMT == S_IFDIR, info.st_uid == 0 || info.st_uid == geteuid(),
            info.st_mode & (S_IWGRP | S_IWOTH) == 0
        else {
            throw ComputeError(
                .failed,
                "\(path) must be a directory of uid \(geteuid()) that nobody else can write to; remove it, or name "
                    + "another one with TROVE_RUN_DIR")
        }
    }

    /// Names in a directory, without `.` and `..`; empty when it is not there.
    static func list(_ path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The whole content of a small file; nil when it cannot be read.
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count > 0 {
                content.append(contentsOf: buffer[..<count])
            } else if count == 0 {
                return content
            } else if errno != EINTR {
                return nil
            }
        }
    }

    static func readText(_ path: String) -> String? {
        read(path).map { content in
            var text = String(decoding: content, as: UTF8.self)
            while text.last == "\n" { text.removeLast() }
            return text
        }
    }

    static func readJSON(_ path: String) -> JSONValue? { read(path).flatMap { try? JSONValue(parsing: $0) } }

    /// Writes into an existing kernel file (control groups): one write, no creation.
    static func poke(_ path: String, _ text: String) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        return write(descriptor, text, text.utf8.count) == text.utf8.count ? 0 : errno
    }

    /// Replaces `path` by a new file of mode 0600 in one step; readers see the old or the new content.
    static func writeAtomically(_ path: String, _ content: [UInt8]) throws(ComputeError) {
        // Two threads may write the same file: each has a partial one of its own.
        let number = partialNumber.wrappingAdd(1, ordering: .relaxed).newValue
        let partial = "\(path).\(getpid())-\(number).new"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("create", partial, errno) }
        var error: Int32 = 0
        var offset = 0
        while error == 0, offset < content.count {
            let count = content.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress?.advanced(by: offset), content.count - offset)
            }
            if count >= 0 { offset += count } else if errno != EINTR { error = errno }
        }
        if close(descriptor) != 0, error == 0 { error = errno }
        if error == 0, rename(partial, path) != 0 { error = errno }
        if error != 0 {
            unlink(partial)
            throw failure("write", path, error)
        }
    }

    static func writeJSON(_ path: String, _ value: JSONValue) throws(ComputeError) {
        try writeAtomically(path, value.serialized)
    }

    /// Removes a file; a missing one is fine.
    static func removeFile(_ path: String) throws(ComputeError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path, errno) }
    }

    /// Removes a file or a directory with everything below; a missing one is fine, a mount below is an error.
    static func removeTree(_ path: String) throws(ComputeError) {
        let error = clinux_remove_tree(path)
        guard error == 0 else { throw failure("remove", path, error) }
    }

    static func move(_ from: String, _ to: String) throws(ComputeError) {
        guard rename(from, to) == 0 else { throw failure("rename to \(to)", from, errno) }
    }
}
