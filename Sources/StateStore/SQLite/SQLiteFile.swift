// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging

/// The database file's place: directories 0700, files 0600.
enum SQLiteFile {
    /// Makes missing directories and the file, so that neither is readable by others for a moment; SQLite gives the log
    /// and the index beside it the same mode. A directory that is there already keeps its mode: it may be shared.
    ///
    /// - Throws: `StateStoreError.unavailable`, or `.full`.
    static func prepare(_ path: String, logger: Logger) throws(StateStoreError) {
        let directory = parent(of: path)
        try makeDirectory(directory)
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { Glibc.close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else { throw failure("restrict", path) }
        // A log left by a crash keeps the mode it was made with.
        for suffix in ["-wal", "-shm"] where chmod(path + suffix, 0o600) != 0 && errno != ENOENT {
            throw failure("restrict", path + suffix)
        }
        try synchronise(directory)
        var status = stat()
        if stat(directory, &status) == 0, status.st_mode & 0o077 != 0 {
            logger.info("directory of the state database is open to others", metadata: ["path": "\(directory)"])
        }
    }

    /// Makes the new file's name durable; SQLite does that for its log, not for a file it finds.
    private static func synchronise(_ directory: String) throws(StateStoreError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", directory) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure("synchronise", directory) }
    }

    private static func makeDirectory(_ path: String) throws(StateStoreError) {
        var status = stat()
        if stat(path, &status) == 0 { return }
        let parent = parent(of: path)
        if parent != path { try makeDirectory(parent) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make", path) }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func failure(_ verb: String, _ path: String) -> StateStoreError {
        let code = errno
        let reason = String(cString: strerror(code))
        return StateStoreError(
            code == ENOSPC ? .full : .unavailable, "Cannot \(verb) \(path) for the state database: \(reason).")
    }
}
