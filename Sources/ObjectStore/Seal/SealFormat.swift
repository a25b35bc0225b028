// SPDX-License-Identifier: Apache-2.0

/// The numbers of the sealed file, version 1. Source: docs/backup-format.md.
enum SealFormat {
    /// "TRVB".
    static let magic: [UInt8] = [0x54, 0x52, 0x56, 0x42]
    static let version = 1
    /// AES-256-GCM.
    static let cipher: UInt8 = 1
    /// zstd.
    static let compression: UInt8 = 1
    /// Header bytes before the backup id.
    static let fixedHeaderBytes = 16
    static let lengthBytes = 4
    static let tagBytes = 16
    /// The bit of a frame's length word that marks the last frame.
    static let finalBit: UInt32 = 0x8000_0000
    static let frameBytes = 1 << 20
    /// What a reader accepts as frame size, so that a header cannot ask for much memory.
    static let allowedFrameBytes = 4096...(8 << 20)
    static let maximumIDBytes = 200
    static let maximumWrappedKeyBytes = 1024
    static let maximumFrames: UInt64 = 1 << 32

    /// Big-endian bytes of a number.
    static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    static func number(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    /// Ninety-six bits: the frame's index. A data key seals one backup, so an index is used once with it.
    static func nonce(_ index: UInt64) -> [UInt8] { [0, 0, 0, 0] + bytes(index) }

    /// What ties a frame to its header, its backup, its place and whether the stream ends with it.
    static func associatedData(
        headerDigest: [UInt8], backupID: String, index: UInt64, isFinal: Bool
    ) -> [UInt8] {
        headerDigest + Array(backupID.utf8) + bytes(index) + [isFinal ? 1 : 0]
    }
}
