// SPDX-License-Identifier: Apache-2.0

import Glibc

extension PackageFiles {
    /// Copies a plugin's directory: regular files and directories, nothing else. Hidden ones stay behind: where a vendor
    /// builds, they are the compiler's.
    mutating func copy(directory: String) throws {
        try copy(directory, [])
    }

    private mutating func copy(_ directory: String, _ parts: [String]) throws {
        guard let names = Files.names(in: directory) else {
            throw refuse(directory, "cannot be listed: \(String(cString: strerror(errno)))")
        }
        for name in names where !name.hasPrefix(".") {
            let path = directory + "/" + name
            let own = try self.parts((parts + [name]).joined(separator: "/"))
            let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else {
                throw refuse(
                    own.joined(separator: "/"),
                    errno == ELOOP ? "is a symbolic link" : "cannot be read: \(String(cString: strerror(errno)))")
            }
            defer { close(file) }
            var info = stat()
            guard fstat(file, &info) == 0 else { throw refuse(path, "cannot be examined") }
            switch info.st_mode & S_IFMT {
            case S_IFDIR:
                try makeDirectory(own)
                try copy(path, own)
            case S_IFREG:
                try makeFile(own, size: Int(info.st_size), isExecutable: info.st_mode & S_IXUSR != 0) { buffer in
                    read(file, buffer.baseAddress, buffer.count)
                }
            default: throw refuse(own.joined(separator: "/"), "is neither a file nor a directory")
            }
        }
    }
}
