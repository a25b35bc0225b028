// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// What of this process a plugin must leave as it is.
struct ProcessState: Equatable {
    var threads: Int
    /// Descriptors and what they are.
    var descriptors: [String: String]
    var children: Int
    var workingDirectory: String
    var mask: mode_t
    var environment: [String]
    var locale: String
    /// Handlers of signals, and the calling thread's mask.
    var signals: String

    static var current: ProcessState {
        let mask = umask(0)
        umask(mask)
        let status =
            FileTree.read("/proc/self/status", limit: 1 << 16).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let signals = status.split(separator: "\n").filter {
            $0.hasPrefix("SigBlk") || $0.hasPrefix("SigIgn") || $0.hasPrefix("SigCgt")
        }.map { line in
            // Real-time signals from 32 on are the C library's own.
            let bits = line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
            return "\(line.prefix(6)) \(bits & 0x7FFF_FFFF)"
        }
        return ProcessState(
            threads: FileTree.names("/proc/self/task").count, descriptors: openDescriptors, children: childCount,
            workingDirectory: link("/proc/self/cwd"), mask: mask, environment: environmentText,
            locale: setlocale(LC_ALL, nil).map { String(cString: $0) } ?? "", signals: signals.joined(separator: " "))
    }

    static var openDescriptors: [String: String] {
        var found: [String: String] = [:]
        for name in FileTree.names("/proc/self/fd") {
            let target = link("/proc/self/fd/" + name)
            // The descriptor of this very listing.
            if !target.isEmpty, !target.hasPrefix("/proc/\(getpid())/fd") { found[name] = target }
        }
        return found
    }

    private static var environmentText: [String] {
        var texts: [String] = []
        var entry = environ
        while let text = entry.pointee {
            texts.append(String(cString: text))
            entry += 1
        }
        return texts.sorted()
    }

    private static var childCount: Int {
        FileTree.names("/proc/self/task").reduce(0) { sum, thread in
            let text = FileTree.read("/proc/self/task/\(thread)/children", limit: 1 << 16) ?? []
            return sum + String(decoding: text, as: UTF8.self).split(separator: " ").count
        }
    }

    static func link(_ path: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return "" }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Bytes in use on the heap. Source: mallinfo2(3), whose sums cover all arenas.
    static var heapBytes: Int { Int(clinux_heap_bytes()) }

    /// Nanoseconds that the calling thread waited for a processor. Source: /proc/schedstat, second number.
    static var waitedNanoseconds: Int {
        let text = FileTree.read("/proc/thread-self/schedstat", limit: 4096) ?? []
        let words = String(decoding: text, as: UTF8.self).split(separator: " ")
        return words.count > 1 ? Int(words[1]) ?? 0 : 0
    }
}
