// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// Streams that plugins lend to the host: their own tables, checked before use.
struct PluginSource {
    private let table: UnsafePointer<trove_istream_1>
    private let read: @convention(c) (UnsafePointer<trove_istream_1>?, UnsafeMutableRawPointer?, Int) -> Int64

    init(_ table: UnsafePointer<trove_istream_1>?, _ what: String) throws(PluginError) {
        guard let table, table.pointee.size == UInt32(MemoryLayout<trove_istream_1>.size),
            let read = table.pointee.read
        else { throw ServiceCall.invalid("\(what) must be a trove_istream_1 with size and read") }
        self.table = table
        self.read = read
    }

    /// Bytes filled, 0 at the end; nil when the plugin cannot, or says it filled more than there is room for.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let count = read(table, buffer.baseAddress, buffer.count)
        return count >= 0 && count <= buffer.count ? Int(count) : nil
    }
}

/// As `PluginSource`, the other way.
struct PluginSink {
    private let table: UnsafePointer<trove_ostream_1>
    private let write: @convention(c) (UnsafePointer<trove_ostream_1>?, UnsafeRawPointer?, Int) -> Int64

    init(_ table: UnsafePointer<trove_ostream_1>?, _ what: String) throws(PluginError) {
        guard let table, table.pointee.size == UInt32(MemoryLayout<trove_ostream_1>.size),
            let write = table.pointee.write
        else { throw ServiceCall.invalid("\(what) must be a trove_ostream_1 with size and write") }
        self.table = table
        self.write = write
    }

    /// Whether the plugin took all of it.
    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = write(table, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            guard count > 0, count <= bytes.count - offset else { return false }
            offset += Int(count)
        }
        return true
    }
}
