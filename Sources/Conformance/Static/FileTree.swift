// SPDX-License-Identifier: Apache-2.0

import CLinux
import COpenSSL
import Glibc

/// Small questions to the file system.
enum FileTree {
    /// Names in a directory, sorted; empty when it cannot be read.
    static func names(_ path: String) -> [String] {
        guard let handle = opendir(path) else { return [] }
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

    /// The absolute path without links; nil when there is nothing.
    static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func read(_ path: String, limit: Int) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= limit else { return nil }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    /// 64 lower-case hexadecimal digits. Source: EVP_Digest(3ssl).
    static func sha256(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        var size: UInt32 = 0
        _ = EVP_Digest(bytes, bytes.count, &digest, &size, EVP_sha256(), nil)
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// A directory that only this user can enter, with a random name.
    static func makeTemporaryDirectory(in parent: String) throws(ConformanceError) -> String {
        var template = Array((parent + "/trove-check-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ConformanceError("no directory can be made in \(parent): \(String(cString: strerror(errno)))")
        }
        return template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    static func remove(_ path: String) { _ = clinux_remove_tree(path) }

    /// Paths of everything below a directory, relative to it.
    static func walk(_ path: String) -> [String] {
        var found: [String] = []
        for name in names(path) {
            found.append(name)
            var info = stat()
            guard lstat(path + "/" + name, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { continue }
            found += walk(path + "/" + name).map { name + "/" + $0 }
        }
        return found
    }
}
