// SPDX-License-Identifier: Apache-2.0

/// What stands in clear at the start of a sealed backup.
package struct SealHeader: Sendable, Hashable {
    package var version: Int
    package var backupID: String
    /// The data key as `ProjectKeys` wrapped it.
    package var wrappedKey: [UInt8]
    /// Content bytes of every frame but the last.
    package var frameBytes: Int
}

extension SealHeader {
    /// The header's bytes in the file.
    var encoded: [UInt8] {
        SealFormat.magic + [UInt8(version), SealFormat.cipher, SealFormat.compression, 0]
            + SealFormat.bytes(UInt32(frameBytes)) + SealFormat.bytes(UInt16(backupID.utf8.count))
            + SealFormat.bytes(UInt16(wrappedKey.count)) + Array(backupID.utf8) + wrappedKey
    }

    /// A header for writing.
    ///
    /// - Throws: `.invalidName` for a backup id that is no plain component, `.key` for a wrapped key that is too long.
    init(backupID: String, wrappedKey: [UInt8], frameBytes: Int) throws(ObjectStoreError) {
        guard ObjectName.isComponent(backupID) else {
            throw ObjectStoreError(.invalidName, "A backup id is letters, digits, '.', '_' and '-'.")
        }
        guard wrappedKey.count <= SealFormat.maximumWrappedKeyBytes else {
            throw ObjectStoreError(
                .key, "The wrapped key of backup \(backupID) is longer than \(SealFormat.maximumWrappedKeyBytes) bytes."
            )
        }
        self.version = SealFormat.version
        self.backupID = backupID
        self.wrappedKey = wrappedKey
        self.frameBytes = frameBytes
    }

    /// Reads the header at the source's position.
    ///
    /// - Throws: `.corrupt` naming what does not fit.
    init(reading source: any ObjectSource) throws(ObjectStoreError) {
        let fixed = try Self.read(SealFormat.fixedHeaderBytes, from: source)
        guard Array(fixed[0..<4]) == SealFormat.magic else {
            throw ObjectStoreError(.corrupt, "The header is damaged: this is not a sealed backup.")
        }
        guard Int(fixed[4]) == SealFormat.version, fixed[5] == SealFormat.cipher,
            fixed[6] == SealFormat.compression, fixed[7] == 0
        else {
            throw ObjectStoreError(
                .corrupt,
                "The header is damaged or of a newer format: version \(fixed[4]), known is \(SealFormat.version).")
        }
        let frameBytes = SealFormat.number(fixed[8..<12])
        let idBytes = SealFormat.number(fixed[12..<14])
        let keyBytes = SealFormat.number(fixed[14..<16])
        guard SealFormat.allowedFrameBytes.contains(frameBytes), (1...SealFormat.maximumIDBytes).contains(idBytes),
            keyBytes <= SealFormat.maximumWrappedKeyBytes
        else { throw ObjectStoreError(.corrupt, "The header is damaged: its lengths are out of range.") }
        let id = String(decoding: try Self.read(idBytes, from: source), as: UTF8.self)
        guard ObjectName.isComponent(id) else {
            throw ObjectStoreError(.corrupt, "The header is damaged: its backup id is not one.")
        }
        version = SealFormat.version
        backupID = id
        wrappedKey = try Self.read(keyBytes, from: source)
        self.frameBytes = frameBytes
    }

    private static func read(_ count: Int, from source: any ObjectSource) throws(ObjectStoreError) -> [UInt8] {
        guard count > 0 else { return [] }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { buffer.deallocate() }
        guard try source.readFully(into: buffer) == count else {
            throw ObjectStoreError(.corrupt, "The header is cut short.")
        }
        return Array(buffer)
    }
}

extension ObjectSource {
    /// Reads until `buffer` is full or the object ends; the number of bytes read.
    func readFully(into buffer: UnsafeMutableRawBufferPointer) throws(ObjectStoreError) -> Int {
        var offset = 0
        while offset < buffer.count {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]))
            if count == 0 { break }
            offset += count
        }
        return offset
    }
}
