// SPDX-License-Identifier: Apache-2.0

/// What of a shared library's file matters to its host.
///
/// Source: elf(5); System V gABI, chapters 4 and 5.
struct ElfFile: Sendable {
    struct Symbol: Sendable, Hashable {
        var name: String
        var isDefined: Bool
        var isWeak: Bool
    }

    /// nil for a file that is well-formed so far; else why it is none that can be mapped.
    private(set) var problem: String?
    private(set) var hasExecutableStack = false
    private(set) var hasReadOnlyRelocations = false
    private(set) var needed: [String] = []
    private(set) var runPath: [String] = []
    private(set) var bindsNow = false
    private(set) var hasTextRelocations = false
    /// Global and weak symbols of the dynamic table.
    private(set) var symbols: [Symbol] = []

    private let bytes: [UInt8]
    private static let machine: Int = {
        #if arch(x86_64)
            62
        #else
            183
        #endif
    }()

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        problem = readHeader() ?? readSegments() ?? readSections()
    }

    private func number(_ offset: Int, _ width: Int) -> Int? {
        guard offset >= 0, offset + width <= bytes.count else { return nil }
        var value: UInt64 = 0
        for index in (0..<width).reversed() { value = value << 8 | UInt64(bytes[offset + index]) }
        return Int(truncatingIfNeeded: value)
    }

    private func text(_ offset: Int) -> String? {
        guard offset >= 0, offset < bytes.count, let end = bytes[offset...].firstIndex(of: 0) else { return nil }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }

    private func readHeader() -> String? {
        guard bytes.count >= 64, Array(bytes[..<4]) == [0x7F, 0x45, 0x4C, 0x46] else { return "it is no ELF file" }
        guard bytes[4] == 2 else { return "it is a 32-bit ELF file; build it for 64 bits" }
        guard bytes[5] == 1 else { return "it is big-endian; build it for this machine" }
        guard number(18, 2) == Self.machine else {
            return "it is for another machine (e_machine \(number(18, 2) ?? 0))"
        }
        guard number(16, 2) == 3 else { return "it is no shared library; link with -shared" }
        return nil
    }

    private mutating func readSegments() -> String? {
        guard let start = number(32, 8), let count = number(56, 2) else { return "its header is cut off" }
        var loads: [(file: Int, address: Int, size: Int)] = []
        var dynamic: (offset: Int, size: Int)?
        var sawStack = false
        for index in 0..<count {
            let base = start + index * 56
            guard let type = number(base, 4), let flags = number(base + 4, 4), let offset = number(base + 8, 8),
                let address = number(base + 16, 8), let size = number(base + 32, 8)
            else { return "its program headers are cut off" }
            guard type == 0 || type == 0x6474_E551 || (offset >= 0 && size >= 0 && size <= bytes.count - offset) else {
                return "the file is truncated: a segment ends at byte \(offset &+ size), the file at \(bytes.count)"
            }
            switch type {
            case 1: loads.append((offset, address, size))
            case 2: dynamic = (offset, size)
            case 0x6474_E551:
                sawStack = true
                if flags & 1 != 0 { hasExecutableStack = true }
            case 0x6474_E552: hasReadOnlyRelocations = true
            default: break
            }
        }
        if !sawStack { hasExecutableStack = true }
        guard let dynamic else { return "it has no dynamic section" }
        return readDynamic(dynamic.offset, dynamic.size, loads)
    }

    private mutating func readDynamic(
        _ offset: Int, _ size: Int, _ loads: [(file: Int, address: Int, size: Int)]
    ) -> String? {
        var entries: [(tag: Int, value: Int)] = []
        for index in 0..<(size / 16) {
            guard let tag = number(offset + index * 16, 8), let value = number(offset + index * 16 + 8, 8), tag != 0
            else { break }
            entries.append((tag, value))
        }
        guard let table = entries.first(where: { $0.tag == 5 })?.value,
            let load = loads.first(where: { table >= $0.address && table < $0.address + $0.size })
        else { return "its dynamic section has no string table" }
        let strings = table - load.address + load.file
        for (tag, value) in entries {
            switch tag {
            case 1: needed.append(text(strings + value) ?? "")
            case 15, 29: runPath += (text(strings + value) ?? "").split(separator: ":").map(String.init)
            case 22: hasTextRelocations = true
            case 24: bindsNow = true
            case 30:
                if value & 8 != 0 { bindsNow = true }
                if value & 4 != 0 { hasTextRelocations = true }
            case 0x6FFF_FFFB: if value & 1 != 0 { bindsNow = true }
            default: break
            }
        }
        return nil
    }

    private mutating func readSections() -> String? {
        guard let start = number(40, 8), let count = number(60, 2), start > 0, count > 0 else {
            return "it has no section headers; do not strip them"
        }
        for index in 0..<count {
            let base = start + index * 64
            guard let type = number(base + 4, 4), let offset = number(base + 24, 8), let size = number(base + 32, 8),
                let link = number(base + 40, 4)
            else { return "the file is truncated: its section headers are cut off" }
            guard type == 11 else { continue }
            guard let strings = number(start + link * 64 + 24, 8) else { return "its symbol table has no names" }
            return readSymbols(offset, size / 24, strings)
        }
        return "it has no dynamic symbol table"
    }

    private mutating func readSymbols(_ offset: Int, _ count: Int, _ strings: Int) -> String? {
        for index in 1..<max(count, 1) {
            let base = offset + index * 24
            guard let name = number(base, 4), let info = number(base + 4, 1), let section = number(base + 6, 2) else {
                return "the file is truncated: its symbol table is cut off"
            }
            let binding = info >> 4
            guard binding == 1 || binding == 2 || binding == 10 else { continue }
            symbols.append(Symbol(name: text(strings + name) ?? "", isDefined: section != 0, isWeak: binding == 2))
        }
        return nil
    }
}
