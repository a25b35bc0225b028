// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// A few values that outlive the process: with the instance in a guest, with the installation in the control plane.
/// `trove.kv/1`. All versions of a plugin share them.
public struct KeyValues: Sendable {
    /// A value and its revision, which grows with every change.
    public struct Value: Sendable, Hashable {
        /// At most 64 KiB.
        public var bytes: [UInt8]
        /// 1 or more.
        public var revision: UInt64
        /// The bytes as text; invalid UTF-8 is repaired.
        public var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// What must be there for a change to happen.
    public enum Expected: Sendable, Hashable {
        /// Whatever is there.
        case any
        /// Nothing.
        case absent
        /// The value of this revision.
        case revision(UInt64)

        var number: UInt64 {
            switch self {
            case .any: UInt64.max
            case .absent: 0
            case .revision(let revision): revision
            }
        }
    }

    /// The value of a key; `nil` without one.
    ///
    /// - Parameter key: 1 to 255 bytes of printable ASCII.
    public func get(_ key: String, call: Call) throws -> Value? {
        guard let get = Runtime.kv?.pointee.get else { throw Host.missing("trove.kv/1") }
        var value = trove_str(ptr: nil, len: 0)
        var revision: UInt64 = 0
        let status = key.withTroveString { get(call.handle, $0, &value, &revision) }
        if status == Int32(TROVE_NOT_FOUND) { return nil }
        try Host.check(status, "a value cannot be read")
        return Value(bytes: Array(UnsafeRawBufferPointer(start: value.ptr, count: value.len)), revision: revision)
    }

    /// Stores a value.
    ///
    /// - Returns: Its revision.
    /// - Throws: `PluginFailure` `.preconditionFailed` if something else is there than was expected, `.exhausted` past
    ///   10,000 keys.
    @discardableResult
    public func put(_ key: String, _ value: [UInt8], expected: Expected = .any, call: Call) throws -> UInt64 {
        guard let put = Runtime.kv?.pointee.put else { throw Host.missing("trove.kv/1") }
        var revision: UInt64 = 0
        let status = key.withTroveString { key in
            value.withTroveString { put(call.handle, key, $0, expected.number, &revision) }
        }
        try Host.check(status, "a value cannot be stored")
        return revision
    }

    /// Removes a value; one that is not there is fine unless another revision was expected.
    public func remove(_ key: String, expected: Expected = .any, call: Call) throws {
        guard let remove = Runtime.kv?.pointee.remove else { throw Host.missing("trove.kv/1") }
        try Host.check(
            key.withTroveString { remove(call.handle, $0, expected.number) }, "a value cannot be removed")
    }

    /// All keys with a prefix, ascending.
    public func keys(prefix: String = "", call: Call) throws -> [String] {
        guard let list = Runtime.kv?.pointee.list else { throw Host.missing("trove.kv/1") }
        return try Host.pages(prefix: prefix, "keys", list, call).compactMap { $0["key"]?.stringValue }
    }
}

extension Host {
    /// The plugin's own values.
    public static let kv = KeyValues()

    typealias Listing =
        @convention(c) (OpaquePointer?, trove_str, UnsafeMutablePointer<trove_str>?) -> trove_status

    /// Every item of a list that comes in pages.
    static func pages(prefix: String, _ member: String, _ list: Listing, _ call: Call) throws -> [JSON] {
        var items: [JSON] = []
        var after: String?
        repeat {
            var response = trove_str(ptr: nil, len: 0)
            let request = JSON.members(["prefix": .string(prefix), "after": after.map(JSON.string)])
            let status = request.text.withTroveString { list(call.handle, $0, &response) }
            try check(status, "a list cannot be had")
            let page = try JSON(borrowed: response)
            items += page[member]?.arrayValue ?? []
            after = page["next"]?.stringValue
        } while after != nil
        return items
    }

    static func check(_ status: trove_status, _ message: String) throws {
        guard status != Int32(TROVE_OK) else { return }
        throw PluginFailure(recorded: PluginStatus(code: status), message: message)
    }
}

extension [UInt8] {
    /// Lends the bytes to a C function.
    func withTroveString<Result>(_ body: (trove_str) throws -> Result) rethrows -> Result {
        try withUnsafeBytes { buffer in
            try body(
                trove_str(ptr: buffer.baseAddress?.assumingMemoryBound(to: CChar.self), len: buffer.count))
        }
    }
}
