// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Opens files that only root or this process's own user can have written.
enum SecureFile {
    /// Checks a plugin root and every directory above it, and opens it.
    ///
    /// A directory above the root may be writable for others if it is sticky, like `/tmp`.
    /// - Returns: A descriptor of the directory, and its path without symbolic links.
    static func openRoot(_ path: String) throws(PluginRefusal) -> (directory: Int32, path: String) {
        guard let resolved = realpath(path, nil) else {
            throw PluginRefusal(path: path, cause: .notFound, message: reason("cannot be found"))
        }
        let real = String(cString: resolved)
        free(resolved)
        var walked = ""
        for part in [""] + real.split(separator: "/").map(String.init) {
            walked = walked == "/" || walked.isEmpty ? "/" + part : walked + "/" + part
            var info = stat()
            guard lstat(walked, &info) == 0 else {
                throw PluginRefusal(path: walked, cause: .permission, message: reason("cannot be examined"))
            }
            try check(info, walked, kind: S_IFDIR, allowsSticky: walked != real)
        }
        let directory = Glibc.open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard directory >= 0 else {
            throw PluginRefusal(path: real, cause: .permission, message: reason("cannot be opened"))
        }
        return (directory, real)
    }

    /// Opens a directory in an open one.
    static func openDirectory(_ name: String, in parent: Int32, path: String) throws(PluginRefusal) -> Int32 {
        try open(name, in: parent, path: path, flags: O_RDONLY | O_DIRECTORY, kind: S_IFDIR)
    }

    /// Opens a regular file in an open directory for reading.
    static func openFile(_ name: String, in parent: Int32, path: String) throws(PluginRefusal) -> Int32 {
        // Without O_NONBLOCK a FIFO of that name would hold the process for ever.
        try open(name, in: parent, path: path, flags: O_RDONLY | O_NONBLOCK, kind: S_IFREG)
    }

    private static func open(
        _ name: String, in parent: Int32, path: String, flags: Int32, kind: mode_t
    ) throws(PluginRefusal) -> Int32 {
        let file = openat(parent, name, flags | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else {
            let isMissing = errno == ENOENT
            let message = errno == ELOOP ? "is a symbolic link" : reason("cannot be opened")
            throw PluginRefusal(path: path, cause: isMissing ? .notFound : .permission, message: message)
        }
        var info = stat()
        do throws(PluginRefusal) {
            guard fstat(file, &info) == 0 else {
                throw PluginRefusal(path: path, cause: .permission, message: reason("cannot be examined"))
            }
            try check(info, path, kind: kind, allowsSticky: false)
        } catch {
            close(file)
            throw error
        }
        return file
    }

    private static func check(
        _ info: stat, _ path: String, kind: mode_t, allowsSticky: Bool
    ) throws(PluginRefusal) {
        func refuse(_ message: String) -> PluginRefusal {
            PluginRefusal(path: path, cause: .permission, message: message)
        }
        guard info.st_mode & S_IFMT == kind else {
            throw refuse(kind == S_IFDIR ? "is not a directory" : "is not a regular file")
        }
        guard info.st_uid == 0 || info.st_uid == geteuid() else {
            throw refuse("is owned by uid \(info.st_uid), not by root or uid \(geteuid())")
        }
        let isShared = info.st_mode & (S_IWGRP | S_IWOTH) != 0
        guard !isShared || (allowsSticky && info.st_mode & S_ISVTX != 0) else {
            throw refuse("can be written by group or others (mode \(octal(info.st_mode & 0o7777))): chmod go-w")
        }
        guard kind == S_IFDIR || info.st_mode & (S_ISUID | S_ISGID) == 0 else {
            throw refuse("is setuid or setgid (mode \(octal(info.st_mode & 0o7777)))")
        }
    }

    private static func octal(_ mode: mode_t) -> String { "0" + String(mode, radix: 8) }

    /// What failed, and errno in words.
    static func reason(_ what: String) -> String {
        let code = errno
        return "\(what): \(String(cString: strerror(code)))"
    }

    /// Reads a whole small file from its start; nil past `limit`, on an error, or if it grows meanwhile.
    static func contents(_ file: Int32, limit: Int) -> [UInt8]? {
        var info = stat()
        guard fstat(file, &info) == 0, info.st_size >= 0, info.st_size <= limit else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(info.st_size) + 1)
        var count = 0
        while count < bytes.count {
            let done = bytes.withUnsafeMutableBytes { buffer in
                pread(file, buffer.baseAddress.map { $0 + count }, buffer.count - count, off_t(count))
            }
            if done < 0 && errno == EINTR { continue }
            guard done >= 0 else { return nil }
            if done == 0 { return Array(bytes.prefix(count)) }
            count += done
        }
        return nil
    }
}
