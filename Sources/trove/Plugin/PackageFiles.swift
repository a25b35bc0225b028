// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The files of a plugin package that is being unpacked, with the bounds that every package must keep.
///
/// Nothing is written outside its directory: names are plain, links and devices do not exist, and each file is made anew.
struct PackageFiles {
    static let fileLimit = 2000
    static let byteLimit = 1 << 30
    private static let depthLimit = 8

    /// Absolute; belongs to this process alone.
    let root: String
    /// What is being unpacked, for messages.
    let source: String
    private var files = 0
    private var bytes = 0

    init(root: String, source: String) {
        self.root = root
        self.source = source
    }

    /// The parts of a path inside the package; empty for the package itself.
    ///
    /// - Throws: for an absolute path, `..`, and what no plugin needs.
    func parts(_ path: String) throws -> [String] {
        guard !path.hasPrefix("/"), !path.utf8.contains(0) else { throw refuse(path, "is an absolute path") }
        let parts = path.split(separator: "/").filter { $0 != "." }.map(String.init)
        guard !parts.contains("..") else { throw refuse(path, "leads out of the package") }
        guard parts.count <= Self.depthLimit, parts.allSatisfy({ $0.utf8.count <= 255 }) else {
            throw refuse(path, "is longer or deeper than a plugin's file may be")
        }
        return parts
    }

    mutating func makeDirectory(_ parts: [String]) throws {
        var path = root
        for part in parts {
            path += "/" + part
            guard mkdir(path, 0o755) != 0 else {
                try count(parts, size: 0)
                chmod(path, 0o755)
                continue
            }
            var info = stat()
            guard errno == EEXIST, lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
                throw refuse(parts.joined(separator: "/"), "cannot be made: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Makes a file with the bytes that `read` fills in; `size` bytes exactly.
    mutating func makeFile(
        _ parts: [String], size: Int, isExecutable: Bool, _ read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws {
        let name = parts.joined(separator: "/")
        guard !parts.isEmpty else { throw refuse(name, "has no name") }
        try count(parts, size: size)
        try makeDirectory(Array(parts.dropLast()))
        let file = open(root + "/" + name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw refuse(
                name, errno == EEXIST ? "is there twice" : "cannot be made: \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        var left = size
        while left > 0 {
            let done = try read(UnsafeMutableRawBufferPointer(rebasing: buffer[0..<min(left, buffer.count)]))
            guard done > 0 else { throw refuse(name, "is cut off") }
            var offset = 0
            while offset < done {
                let count = write(file, buffer.baseAddress.map { $0 + offset }, done - offset)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw refuse(name, "cannot be written: \(String(cString: strerror(errno)))") }
                offset += count
            }
            left -= done
        }
        guard fchmod(file, isExecutable ? 0o755 : 0o644) == 0, fsync(file) == 0 else {
            throw refuse(name, "cannot be kept: \(String(cString: strerror(errno)))")
        }
    }

    func refuse(_ path: String, _ reason: String) -> StartError { StartError("\(source): '\(path)' \(reason)") }

    private mutating func count(_ parts: [String], size: Int) throws {
        files += 1
        bytes += size
        guard files <= Self.fileLimit, size >= 0, bytes <= Self.byteLimit else {
            throw refuse(
                parts.joined(separator: "/"),
                "is one too many: a plugin has at most \(Self.fileLimit) files and \(Self.byteLimit >> 20) MiB")
        }
    }
}
