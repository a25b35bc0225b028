// SPDX-License-Identifier: Apache-2.0

package import Model

/// Objects under free names: those of one owner in one project, below a directory store.
///
/// A name of 255 bytes does not fit a file's, so a file is named by the SHA-256 of the object's name and begins with
/// `TPO1`, the name's length in two bytes (big-endian) and the name.
package struct ObjectContainer: Sendable {
    private static let magic = Array("TPO1".utf8)
    private static let blockBytes = 64 << 10
    private let store: DirectoryObjectStore
    private let project: String

    /// - Parameter root: The owner's directory, made when the first object is.
    package init(root: String, project: String) {
        store = DirectoryObjectStore(root: root)
        self.project = project
    }

    /// Hands the object's bytes to `write` in order, until it answers false.
    ///
    /// - Throws: `.notFound`, `.outputClosed` after false, `.corrupt`, and as `ObjectStore.open`.
    package func get(_ name: String, to write: (UnsafeRawBufferPointer) -> Bool) throws(ObjectStoreError) {
        let source = try store.open(try file(name))
        defer { source.close() }
        guard try Self.name(source) == name else {
            throw ObjectStoreError(.corrupt, "The object '\(name)' is not what was stored.")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockBytes, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try source.read(into: buffer)
            if count == 0 { return }
            guard write(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else {
                throw ObjectStoreError(.outputClosed, "The receiver of '\(name)' does not take more bytes.")
            }
        }
    }

    /// Stores what `read` fills until it answers 0. nil from `read` leaves what was there.
    ///
    /// - Throws: `.cancelled` after nil, and as `ObjectStore.create` and `ObjectSink`.
    package func put(
        _ name: String, from read: (UnsafeMutableRawBufferPointer) -> Int?
    ) throws(ObjectStoreError) {
        let sink = try store.create(try file(name))
        do throws(ObjectStoreError) {
            let length = name.utf8.count
            try Self.write(Self.magic + [UInt8(length >> 8 & 255), UInt8(length & 255)] + Array(name.utf8), to: sink)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockBytes, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                guard let count = read(buffer) else {
                    throw ObjectStoreError(.cancelled, "The bytes of '\(name)' do not come; nothing is stored.")
                }
                if count == 0 { break }
                try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            try sink.commit()
        } catch {
            sink.abort()
            throw error
        }
    }

    /// When the object was stored; nil when it is not there.
    package func modified(_ name: String) throws(ObjectStoreError) -> Timestamp? {
        try store.modified(try file(name))
    }

    /// An object that is not there is no error.
    package func remove(_ name: String) throws(ObjectStoreError) { try store.delete(try file(name)) }

    /// Names and sizes in ascending order of the names' bytes.
    ///
    /// - Returns: At most `limit`, and whether there are more.
    package func list(
        prefix: String, after: String?, limit: Int
    ) throws(ObjectStoreError) -> (items: [(name: String, bytes: Int)], hasMore: Bool) {
        var items = try entries(prefix: prefix).map { (name: $0.name, bytes: $0.bytes) }
        if let after { items.removeAll { !Self.isOrdered(after, $0.name) } }
        return (Array(items.prefix(limit)), items.count > limit)
    }

    /// One object as a list tells of it.
    package struct Entry: Sendable, Hashable {
        package var name: String
        package var bytes: Int
        /// When it was stored.
        package var modified: Timestamp
    }

    /// Objects whose names begin with `prefix`, in ascending order of the names' bytes.
    package func entries(prefix: String) throws(ObjectStoreError) -> [Entry] {
        var items: [Entry] = []
        for (object, bytes, modified) in try store.sizes(project: project) {
            let name: String
            do throws(ObjectStoreError) {
                let source = try store.open(project + "/" + object)
                defer { source.close() }
                name = try Self.name(source)
            } catch {
                // Removed meanwhile, or none of ours.
                if error.code == .notFound || error.code == .corrupt { continue }
                throw error
            }
            guard name.hasPrefix(prefix) else { continue }
            items.append(Entry(name: name, bytes: bytes - Self.magic.count - 2 - name.utf8.count, modified: modified))
        }
        items.sort { Self.isOrdered($0.name, $1.name) }
        return items
    }

    private static func isOrdered(_ first: String, _ second: String) -> Bool {
        first.utf8.lexicographicallyPrecedes(second.utf8)
    }

    private func file(_ name: String) throws(ObjectStoreError) -> String {
        guard !name.isEmpty, name.utf8.count <= 255 else {
            throw ObjectStoreError(.invalidName, "An object's name has 1 to 255 bytes.")
        }
        return project + "/" + (try SHA256.digest(Array(name.utf8))).hex
    }

    private static func name(_ source: any ObjectSource) throws(ObjectStoreError) -> String {
        let head = try bytes(magic.count + 2, source)
        guard Array(head.prefix(magic.count)) == magic else {
            throw ObjectStoreError(.corrupt, "A file among the objects is no object.")
        }
        let length = Int(head[magic.count]) << 8 | Int(head[magic.count + 1])
        return String(decoding: try bytes(length, source), as: UTF8.self)
    }

    private static func bytes(_ count: Int, _ source: any ObjectSource) throws(ObjectStoreError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 1)
        defer { buffer.deallocate() }
        var filled = 0
        while filled < count {
            let more = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<count]))
            guard more > 0 else { throw ObjectStoreError(.corrupt, "A file among the objects is cut off.") }
            filled += more
        }
        return Array(buffer.prefix(count))
    }

    private static func write(_ bytes: [UInt8], to sink: any ObjectSink) throws(ObjectStoreError) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        try sink.write(UnsafeRawBufferPointer(copy))
    }
}
