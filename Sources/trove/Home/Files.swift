// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Small questions to the file system.
enum Files {
    /// The working directory; empty when it cannot be told.
    static var currentDirectory: String {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isEmptyDirectory(_ path: String) -> Bool { names(in: path)?.isEmpty ?? false }

    /// Names in a directory without `.` and `..`; nil when it cannot be read.
    static func names(in path: String) -> [String]? {
        guard let handle = opendir(path) else { return nil }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// A small file's bytes; nil when it cannot be read, or is larger than `limit`.
    static func contents(_ path: String, limit: Int) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= limit else { return nil }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
        }
    }

    /// Removes a directory and what is in it, without following symbolic links and without leaving its file system.
    static func removeTree(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in names(in: path) ?? [] { try removeTree(path + "/" + name) }
        }
        let code = status.st_mode & S_IFMT == S_IFDIR ? rmdir(path) : unlink(path)
        guard code == 0 || errno == ENOENT else {
            throw StartError("cannot remove \(path): \(String(cString: strerror(errno)))")
        }
    }
}
