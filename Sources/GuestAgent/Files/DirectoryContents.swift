// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Removes what a directory holds.
enum DirectoryContents {
    /// Empties a directory but keeps it and its owner; `lost+found`, which belongs to the file system, stays.
    ///
    /// The engine's uid may write here, so nothing is followed: every step goes through a descriptor of its own.
    ///
    /// - Throws: `.storage` naming the directory.
    static func empty(_ path: String) throws(GuestAgentError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileAccess.failure("empty", path) }
        guard remove(in: descriptor, keeping: "lost+found", depth: 0) else { throw FileAccess.failure("empty", path) }
    }

    /// Takes the descriptor over.
    private static func remove(in descriptor: Int32, keeping kept: String?, depth: Int) -> Bool {
        guard depth < 128, let directory = fdopendir(descriptor) else {
            close(descriptor)
            return false
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != "..", name != kept { names.append(name) }
        }
        for name in names {
            if unlinkat(descriptor, name, 0) == 0 || errno == ENOENT { continue }
            guard errno == EISDIR || errno == EPERM else { return false }
            let child = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard child >= 0, remove(in: child, keeping: nil, depth: depth + 1) else { return false }
            guard unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT else { return false }
        }
        return true
    }
}
