// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Files of this process below `/proc/self`, whose size nobody knows before they are read.
enum ProcessFile {
    /// - Returns: The lines; none when it cannot be read.
    static func lines(_ name: String) -> [Substring] {
        let file = open("/proc/self/" + name, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
    }
}
