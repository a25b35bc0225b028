// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import ObjectStore

extension PackageFiles {
    private static let blockBytes = 512

    /// Unpacks a tar archive in zstd: regular files and directories, nothing else.
    ///
    /// Source: pax(1), "ustar Interchange Format" and "pax Extended Header"; GNU tar's long names.
    mutating func unpack(archive path: String) throws {
        let packed = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard packed >= 0 else { throw StartError("\(path): cannot be opened: \(String(cString: strerror(errno)))") }
        defer { close(packed) }
        let plain = clinux_memfd("trove-plugin-archive")
        guard plain >= 0 else { throw StartError("no memory to unpack \(path)") }
        defer { close(plain) }
        do {
            // Headers and padding are more than the files.
            try ZstdFile.decompress(from: packed, to: plain, limit: Self.byteLimit + (Self.fileLimit << 12))
        } catch {
            throw StartError("\(path): \(error.message)")
        }
        lseek(plain, 0, SEEK_SET)
        // Of the entry that follows; GNU tar's way for names of more than 100 bytes.
        var longName: String?
        while var header = try header(plain) {
            if header.kind == "L" {
                longName = try self.longName(header, plain)
                continue
            }
            header.name = longName ?? header.name
            if !["x", "g"].contains(header.kind) { longName = nil }
            switch header.kind {
            case "x", "g": try checkExtended(header, plain)
            case "5": try makeDirectory(parts(header.name))
            case "0", "\0":
                try makeFile(parts(header.name), size: header.size, isExecutable: header.mode & 0o100 != 0) { buffer in
                    read(plain, buffer.baseAddress, buffer.count)
                }
                try skip(plain, Self.padding(header.size))
            case "1", "2", "K": throw refuse(header.name, "is a link")
            default: throw refuse(header.name, "is neither a file nor a directory")
            }
        }
    }

    private struct Header {
        var name: String
        var mode: Int
        var size: Int
        var kind: Character
    }

    /// nil at the archive's end.
    private func header(_ file: Int32) throws -> Header? {
        var block = [UInt8](repeating: 0, count: Self.blockBytes)
        let count = try fill(file, &block)
        if count == 0 || block.allSatisfy({ $0 == 0 }) { return nil }
        guard count == block.count, String(decoding: block[257..<262], as: UTF8.self) == "ustar" else {
            throw StartError("\(source): is no tar archive; make it with 'tar --format=ustar --zstd'")
        }
        let sum = block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
        guard Self.octal(block[148..<156]) == sum, let size = Self.octal(block[124..<136]),
            let mode = Self.octal(block[100..<108])
        else { throw StartError("\(source): the tar archive is damaged") }
        let prefix = Self.text(block[345..<500])
        // GNU tar keeps times there, behind another magic.
        let isPOSIX = block[262] == 0
        let name = Self.text(block[0..<100])
        return Header(
            name: isPOSIX && !prefix.isEmpty ? prefix + "/" + name : name, mode: mode, size: size,
            kind: Character(UnicodeScalar(block[156])))
    }

    /// Times and owners in extended headers are of no interest; a name or a size there would be another file's.
    private func checkExtended(_ header: Header, _ file: Int32) throws {
        guard header.size <= 1 << 16 else { throw refuse(header.name, "has too large an extended header") }
        var bytes = [UInt8](repeating: 0, count: header.size)
        guard try fill(file, &bytes) == header.size else { throw refuse(header.name, "is cut off") }
        try skip(file, Self.padding(header.size))
        for record in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let key = record.drop { $0 != " " }.dropFirst().prefix { $0 != "=" }
            guard !["path", "linkpath", "size"].contains(key), !key.hasPrefix("GNU.sparse") else {
                throw refuse(
                    header.name, "has '\(key)' in an extended header; make it with 'tar --format=ustar --zstd'")
            }
        }
    }

    /// The content of an `L` entry, up to its NUL. Source: GNU tar, "Basic Tar Format", @LongLink.
    private func longName(_ header: Header, _ file: Int32) throws -> String {
        guard header.size <= 4096 else { throw refuse(header.name, "announces a name of more than 4096 bytes") }
        var bytes = [UInt8](repeating: 0, count: header.size)
        guard try fill(file, &bytes) == header.size else { throw refuse(header.name, "is cut off") }
        try skip(file, Self.padding(header.size))
        return Self.text(bytes[...])
    }

    private func skip(_ file: Int32, _ count: Int) throws {
        guard lseek(file, count, SEEK_CUR) >= 0 else { throw StartError("\(source): the tar archive is damaged") }
    }

    private func fill(_ file: Int32, _ bytes: inout [UInt8]) throws -> Int {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                read(file, $0.baseAddress.map { $0 + offset }, $0.count - offset)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw StartError("\(source): cannot be read") }
            if count == 0 { break }
            offset += count
        }
        return offset
    }

    private static func padding(_ size: Int) -> Int { (blockBytes - size % blockBytes) % blockBytes }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// nil for anything but octal digits, also for the binary form of sizes past 8 GiB.
    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        guard !digits.isEmpty, digits.count <= 11 else { return nil }
        return Int(String(decoding: digits, as: UTF8.self), radix: 8)
    }
}
