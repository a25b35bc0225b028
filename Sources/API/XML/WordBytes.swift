// SPDX-License-Identifier: Apache-2.0

/// Looks at the eight bytes of a word at once. The high bits of a mark say that something is found in the word.
///
/// Source: S. E. Anderson, "Bit Twiddling Hacks", "Determine if a word has a byte less than n".
enum WordBytes {
    private static var ones: UInt64 { 0x0101_0101_0101_0101 }

    /// Marks a word that has `byte`.
    @inline(__always)
    static func equal(_ word: UInt64, _ byte: UInt64) -> UInt64 {
        let zero = word ^ (ones &* byte)
        return (zero &- ones) & ~zero
    }

    /// Marks a word that has a byte below `byte`, which is at most 0x80.
    @inline(__always)
    static func below(_ word: UInt64, _ byte: UInt64) -> UInt64 { (word &- ones &* byte) & ~word }

    /// How far whole words from `start` on have no mark.
    @inline(__always)
    static func skip(_ text: UnsafeBufferPointer<UInt8>, from start: Int, _ mark: (UInt64) -> UInt64) -> Int {
        let bytes = UnsafeRawBufferPointer(text)
        var index = start
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard mark(word) & (ones &* 0x80) == 0 else { return index }
            index += 8
        }
        return index
    }
}
