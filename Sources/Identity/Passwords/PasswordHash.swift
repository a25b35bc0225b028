// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Model

/// A password that can be checked and not be read back.
///
/// Shape: scrypt with N = 2^15, r = 8, p = 1 for new ones: 32 MiB and about a tenth of a second each. Source: RFC 7914.
struct PasswordHash: Sendable, Hashable {
    static let maximumBytes = 4096

    private var cost: UInt64 = 1 << 15
    private var blockSize: UInt64 = 8
    private var parallelization: UInt64 = 1
    private var salt: [UInt8]
    private var hash: [UInt8]

    /// Blocks.
    ///
    /// - Throws: `.badRequest` for an empty password or one longer than 4096 bytes; `.unavailable` without memory.
    init(of password: Secret, random: any RandomSource) throws(IdentityError) {
        guard (1...Self.maximumBytes).contains(password.revealed.utf8.count) else {
            throw IdentityError(.badRequest, "A password has 1 to \(Self.maximumBytes) bytes.")
        }
        salt = random.bytes(16)
        hash = []
        guard let hash = derive(password) else {
            throw IdentityError(.unavailable, "There is no memory to hash a password.")
        }
        self.hash = hash
    }

    /// A hash that no password has, to spend the same time on users that do not exist.
    init(decoy random: any RandomSource) {
        salt = random.bytes(16)
        hash = random.bytes(32)
    }

    /// Whether this is the password; compares in constant time. Blocks.
    func matches(_ password: Secret) throws(IdentityError) -> Bool {
        guard password.revealed.utf8.count <= Self.maximumBytes else { return false }
        guard let other = derive(password) else {
            throw IdentityError(.unavailable, "There is no memory to check a password.")
        }
        return other.count == hash.count && CRYPTO_memcmp(other, hash, hash.count) == 0
    }

    /// Source: EVP_PBE_scrypt(3). The memory limit counts 128·N·r bytes and a little more.
    private func derive(_ password: Secret) -> [UInt8]? {
        var text = Array(password.revealed.utf8)
        defer { text.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) } }
        var key = [UInt8](repeating: 0, count: 32)
        let done = text.withUnsafeBytes { bytes in
            EVP_PBE_scrypt(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, salt, salt.count, cost, blockSize,
                parallelization, 128 * cost * blockSize + (1 << 20), &key, key.count)
        }
        return done == 1 ? key : nil
    }
}

extension PasswordHash {
    var json: JSONValue {
        [
            "scheme": "scrypt", "n": .int(Int64(cost)), "r": .int(Int64(blockSize)), "p": .int(Int64(parallelization)),
            "salt": .string(salt.hex), "hash": .string(hash.hex),
        ]
    }

    /// `nil` unless it is a hash this program can check within 256 MiB.
    init?(json: JSONValue) {
        guard json["scheme"] == "scrypt", let cost = json["n"]?.intValue, let blockSize = json["r"]?.intValue,
            let parallelization = json["p"]?.intValue, let salt = json["salt"]?.stringValue.flatMap(Hex.decode),
            let hash = json["hash"]?.stringValue.flatMap(Hex.decode), hash.count == 32, salt.count >= 8,
            (1024...(1 << 18)).contains(cost), cost & (cost - 1) == 0, (1...8).contains(blockSize),
            (1...4).contains(parallelization)
        else { return nil }
        self.cost = UInt64(cost)
        self.blockSize = UInt64(blockSize)
        self.parallelization = UInt64(parallelization)
        self.salt = salt
        self.hash = hash
    }
}

/// Hexadecimal digits to bytes.
enum Hex {
    /// `nil` for an odd number of digits or anything else than digits.
    static func decode(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
