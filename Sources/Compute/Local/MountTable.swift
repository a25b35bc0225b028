// SPDX-License-Identifier: Apache-2.0

/// One line of `/proc/self/mountinfo`. Source: proc_pid_mountinfo(5).
struct MountEntry: Sendable, Hashable {
    var mountPoint: String
    var fileSystem: String
    var source: String
    var superOptions: [String]

    static func all() -> [MountEntry] {
        let text = HostFiles.read("/proc/self/mountinfo") ?? []
        return text.split(separator: UInt8(ascii: "\n")).compactMap { MountEntry(line: Array($0)) }
    }

    init?(line: [UInt8]) {
        let fields = line.split(separator: UInt8(ascii: " ")).map { Array($0) }
        guard let dash = fields.firstIndex(of: [UInt8(ascii: "-")]), dash >= 6, fields.count > dash + 3 else {
            return nil
        }
        mountPoint = Self.unescaped(fields[4])
        fileSystem = Self.unescaped(fields[dash + 1])
        source = Self.unescaped(fields[dash + 2])
        superOptions = Self.unescaped(fields[dash + 3]).split(separator: ",").map(String.init)
    }

    /// Blanks, tabs, newlines and backslashes stand as `\ooo`.
    private static func unescaped(_ field: [UInt8]) -> String {
        var bytes: [UInt8] = []
        var index = 0
        while index < field.count {
            if field[index] == UInt8(ascii: "\\"), index + 3 < field.count,
                let value = UInt8(String(decoding: field[(index + 1)...(index + 3)], as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                index += 4
            } else {
                bytes.append(field[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Loop devices and the files behind them. Source: sysfs, `/sys/block/loopN/loop/backing_file`.
enum LoopTable {
    /// The image of loop device `number`; nil when it has none. A removed image keeps its path, without the kernel's mark.
    static func image(of number: Int32) -> String? {
        guard var path = HostFiles.readText("/sys/block/loop\(number)/loop/backing_file") else { return nil }
        if path.hasSuffix(deletedMark) { path.removeLast(deletedMark.count) }
        return path
    }

    /// Every attached loop device whose image satisfies `matches`.
    static func all(where matches: (String) -> Bool) -> [(number: Int32, image: String)] {
        HostFiles.list("/sys/block").compactMap { name in
            guard name.hasPrefix("loop"), let number = Int32(name.dropFirst(4)), let image = image(of: number),
                matches(image)
            else { return nil }
            return (number, image)
        }
    }

    private static let deletedMark = " (deleted)"
}
