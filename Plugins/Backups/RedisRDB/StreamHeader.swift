// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// What comes before the snapshot in a backup's stream.
struct StreamHeader {
    private static let magic = "trove-redis 1"
    private static let maximumUsersBytes = 64 << 20

    /// The tenants' part of an ACL file; hashes of passwords in it.
    let users: String

    init(users: String) { self.users = users }

    /// Reads the header.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` for another kind of stream.
    init(_ reader: StreamReader) throws {
        let refusal = PluginFailure(.invalidArgument, "the stream is not a backup of this kind, or it is not whole")
        guard try reader.line(maximum: 64) == Self.magic else { throw refusal }
        let words = try (reader.line(maximum: 64) ?? "").split(separator: " ")
        guard words.count == 2, words[0] == "users", let count = Int(words[1]),
            (0...Self.maximumUsersBytes).contains(count), let bytes = try reader.bytes(count)
        else { throw refusal }
        users = String(decoding: bytes, as: UTF8.self)
    }

    func write(to output: BackupOutput) throws {
        let text = "\(Self.magic)\nusers \(users.utf8.count)\n\(users)"
        try Descriptors.write(text.utf8, to: output)
    }
}

/// A backup's bytes, read in lines and pieces.
final class StreamReader {
    private let input: BackupInput
    private var buffer: [UInt8] = []
    private var isOver = false

    init(_ input: BackupInput) { self.input = input }

    /// The bytes up to the next newline, without it; `nil` if there is none within `maximum` bytes.
    func line(maximum: Int) throws -> String? {
        while true {
            if let end = buffer.prefix(maximum).firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 1)
                return line
            }
            guard buffer.count < maximum, try fill() else { return nil }
        }
    }

    /// Exactly `count` bytes; `nil` if the stream ends before.
    func bytes(_ count: Int) throws -> [UInt8]? {
        while buffer.count < count { guard try fill() else { return nil } }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    /// What is next; empty at the end.
    func next() throws -> [UInt8] {
        if buffer.isEmpty { _ = try fill() }
        defer { buffer = [] }
        return buffer
    }

    private func fill() throws -> Bool {
        guard !isOver else { return false }
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        let count = try read(&piece)
        isOver = count == 0
        buffer.append(contentsOf: piece[..<count])
        return count > 0
    }

    private func read(_ piece: inout [UInt8]) throws -> Int {
        guard let descriptor = input.descriptor else {
            return try piece.withUnsafeMutableBytes { try input.read(into: $0) }
        }
        return try Descriptors.read(descriptor, &piece)
    }
}
