// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// The plugin's own objects in the project of the request or the instance. `trove.object-store/1`.
public struct Objects: Sendable {
    /// A stored object.
    public struct Item: Sendable, Hashable {
        /// 1 to 255 bytes of printable ASCII.
        public var name: String
        /// Its size.
        public var bytes: Int
    }

    /// Hands an object's bytes out in order.
    ///
    /// - Throws: `PluginFailure` `.notFound`; what `write` throws.
    public func get(_ name: String, call: Call, to write: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let get = Runtime.objects?.pointee.get else { throw Host.missing("trove.object-store/1") }
        try LentStream.sink(write) { sink in
            try Host.check(name.withTroveString { get(call.handle, $0, sink) }, "the object cannot be read")
        }
    }

    /// Stores what `read` fills until it answers 0, whole or not at all; replaces.
    public func put(
        _ name: String, call: Call, from read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws {
        guard let put = Runtime.objects?.pointee.put else { throw Host.missing("trove.object-store/1") }
        try LentStream.source(read) { source in
            try Host.check(name.withTroveString { put(call.handle, $0, source) }, "the object cannot be stored")
        }
    }

    /// Stores bytes.
    public func put(_ name: String, _ bytes: [UInt8], call: Call) throws {
        var rest = bytes[...]
        try put(name, call: call) { buffer in
            let count = min(buffer.count, rest.count)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
    }

    /// Removes an object; one that is not there is fine.
    public func remove(_ name: String, call: Call) throws {
        guard let remove = Runtime.objects?.pointee.remove else { throw Host.missing("trove.object-store/1") }
        try Host.check(name.withTroveString { remove(call.handle, $0) }, "the object cannot be removed")
    }

    /// All objects whose names have a prefix, ascending.
    public func list(prefix: String = "", call: Call) throws -> [Item] {
        guard let list = Runtime.objects?.pointee.list else { throw Host.missing("trove.object-store/1") }
        return try Host.pages(prefix: prefix, "objects", list, call).map {
            Item(name: try $0.text("name"), bytes: try $0.integer("bytes"))
        }
    }
}

extension Host {
    /// The plugin's own objects.
    public static let objects = Objects()
}
