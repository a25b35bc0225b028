// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// Gives a copy of the template an identity of its own.
///
/// All copies of a template would have the system identifier that `initdb` made, so that the engine could not tell a replica
/// of one instance from another instance. `pg_resetwal` cannot set it, and a fresh `initdb` costs more than the whole creation;
/// the identifier is therefore written where it stands: 8 bytes at the start of `global/pg_control`, whose checksum is made
/// anew, and 8 bytes in the header of each file of the write-ahead log. It is only done to a cleanly stopped cluster.
/// Source: `src/include/catalog/pg_control.h` (`ControlFileData`, of which the checksum is the last member) and
/// `src/include/access/xlog_internal.h` (`XLogLongPageHeaderData`), the same in versions 14 to 17.
enum SystemIdentifier {
    private static let identifierBytes = 8
    /// `ControlFileData.state`, behind the identifier and two version numbers.
    private static let stateOffset = 16
    /// `DB_SHUTDOWNED` of `DBState`.
    private static let cleanlyStopped: UInt32 = 1
    /// `PG_CONTROL_MAX_SAFE_SIZE`: the checksum ends within this.
    private static let controlBytes = 512
    /// `XLogLongPageHeaderData.xlp_sysid`, behind a short header.
    private static let logOffset = 24

    /// A new identifier, made as the engine makes its own: the time in seconds above, chance below.
    static func make() -> UInt64 {
        var source = SystemRandomNumberGenerator()
        return UInt64(max(time(nil), 1)) << 32 | UInt64(UInt32.random(in: 1...UInt32.max, using: &source))
    }

    /// Writes `identifier` into the cluster at `data`; one that has run since, or has it already, is left alone.
    ///
    /// The log goes first: a repeat after an interruption finds what is left to do.
    ///
    /// - Throws: `PluginFailure` `.preconditionFailed` for files that are not as expected.
    static func set(_ identifier: UInt64, in data: String) throws {
        let controlPath = data + "/global/pg_control"
        let control = try Patch(controlPath)
        var bytes = try control.read(controlBytes, at: 0)
        guard number(bytes, stateOffset, 4) == UInt64(cleanlyStopped) else { return }
        let old = number(bytes, 0, identifierBytes)
        guard let checksumOffset = checksumOffset(bytes) else {
            throw PluginFailure(
                .preconditionFailed, "\(controlPath) is not the control file of a version that is known")
        }
        for name in try PluginFiles.names(in: data + "/pg_wal") where isSegment(name) {
            let segment = try Patch(data + "/pg_wal/" + name)
            guard number(try segment.read(identifierBytes, at: logOffset), 0, identifierBytes) == old else { continue }
            try segment.write(Self.bytes(identifier, identifierBytes), at: logOffset)
        }
        guard old != identifier else { return }
        bytes.replaceSubrange(0..<identifierBytes, with: Self.bytes(identifier, identifierBytes))
        let checksum = Self.bytes(UInt64(crc(bytes[..<checksumOffset])), 4)
        bytes.replaceSubrange(checksumOffset..<checksumOffset + 4, with: checksum)
        try control.write(bytes, at: 0)
    }

    /// The identifier of the cluster at `data`.
    static func read(_ data: String) throws -> UInt64 {
        number(try Patch(data + "/global/pg_control").read(identifierBytes, at: 0), 0, identifierBytes)
    }

    /// Where the checksum is: behind the bytes that it is the checksum of.
    private static func checksumOffset(_ bytes: [UInt8]) -> Int? {
        stride(from: 128, through: controlBytes - 4, by: 4).first { offset in
            number(bytes, offset, 4) == UInt64(crc(bytes[..<offset]))
        }
    }

    private static func isSegment(_ name: String) -> Bool {
        name.utf8.count == 24
            && name.utf8.allSatisfy {
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "A")...UInt8(ascii: "F") ~= $0
            }
    }

    /// In the machine's order, as the engine writes it.
    private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
        bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func bytes(_ number: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> (UInt64($0) * 8)) }
    }

    /// CRC-32C (Castagnoli), reflected. Source: RFC 3720, B.4.
    private static func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 0 ? 0 : 0x82F6_3B78) }
        }
    }
}

/// A file of which a few bytes are changed in place.
private final class Patch {
    private let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw PluginFailure(.preconditionFailed, "could not open \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    func read(_ count: Int, at offset: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard pread(descriptor, &bytes, count, off_t(offset)) == count else {
            throw PluginFailure(.preconditionFailed, "\(path) is too short")
        }
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: Int) throws {
        guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
            throw PluginFailure(.internal, "could not write \(path): \(String(cString: strerror(errno)))")
        }
    }
}
