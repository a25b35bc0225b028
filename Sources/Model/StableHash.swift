// SPDX-License-Identifier: Apache-2.0

/// A hash that is the same in every process: a short name for a long text, not a proof of anything.
///
/// Source: FNV-1a, 64 bits, offset basis and prime of its specification.
package enum StableHash {
    package static func value(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// 16 lower-case hexadecimal digits.
    package static func digits(_ bytes: some Sequence<UInt8>) -> String {
        let digits = String(value(bytes), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
