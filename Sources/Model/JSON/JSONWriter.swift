// SPDX-License-Identifier: Apache-2.0

/// Appends JSON text to a byte buffer, without building values first.
///
/// Shape: compact, raw UTF-8, keys in the order they are written; infinite numbers become `null`.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(reservingBytes count: Int = 256) { bytes.reserveCapacity(count) }

    @inline(__always)
    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        open(UInt8(ascii: "{"))
        try body(&self)
        close(UInt8(ascii: "}"))
    }

    @inline(__always)
    package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        open(UInt8(ascii: "["))
        try body(&self)
        close(UInt8(ascii: "]"))
    }

    /// Writes `"key":`; the next call writes its value.
    @_disfavoredOverload
    package mutating func key(_ key: String) {
        separate()
        quote(key)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// As above for a name that stands in the source; it holds nothing to escape.
    package mutating func key(_ key: StaticString) {
        let comma = needsComma
        let count = key.utf8CodeUnitCount
        append(upTo: count + 4) { end in
            if comma { end.put(UInt8(ascii: ",")) }
            end.put(UInt8(ascii: "\""))
            end.put(UnsafeBufferPointer(start: key.utf8Start, count: count))
            end.put(UInt8(ascii: "\""))
            end.put(UInt8(ascii: ":"))
        }
        needsComma = false
    }

    package mutating func string(_ value: String) {
        separate()
        quote(value)
        needsComma = true
    }

    /// Writes a piece of a document that was written once and stands in many places; what is open in it stays open.
    ///
    /// - Parameters:
    ///   - piece: Valid where it is put; begins where a comma may be needed.
    ///   - begins: Whether the piece begins a member or an element.
    package mutating func fragment(_ piece: [UInt8], begins: Bool = false) {
        if begins { separate() }
        bytes.append(contentsOf: piece)
        needsComma = true
    }

    /// Continues a string that a fragment has opened.
    package mutating func continued(_ text: String) { appendEscaped(text) }

    package mutating func int(_ value: Int) { raw(String(value)) }
    package mutating func double(_ value: Double) { raw(value.isFinite ? String(value) : "null") }
    package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }
    package mutating func null() { raw("null") }

    package mutating func member(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    package mutating func member(_ name: StaticString, _ value: Int?) {
        key(name)
        if let value { int(value) } else { null() }
    }

    package mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// The moment's `text`, or null.
    package mutating func member(_ name: StaticString, _ value: Timestamp?) {
        key(name)
        guard let value else { return null() }
        // Right after a key there is no comma to write.
        append(upTo: Timestamp.textBytes + 2) { end in
            end.put(UInt8(ascii: "\""))
            value.write(to: end.next)
            end.next += Timestamp.textBytes
            end.put(UInt8(ascii: "\""))
        }
        needsComma = true
    }

    package mutating func member(_ name: StaticString, _ value: JSONValue) {
        key(name)
        self.value(value)
    }

    /// Writes a whole value; object keys in ascending order, so that equal values have equal texts.
    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .int(let value): raw(String(value))
        case .double(let value): double(value)
        case .string(let value): string(value)
        case .array(let items):
            array { writer in for item in items { writer.value(item) } }
        case .object(let members):
            object { writer in
                for (name, item) in members.sorted(by: { $0.key < $1.key }) {
                    writer.key(name)
                    writer.value(item)
                }
            }
        }
    }

    private mutating func raw(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func quote(_ text: String) {
        Self.withUTF8(text) { utf8 in
            guard Self.isPlain(utf8) else {
                bytes.append(UInt8(ascii: "\""))
                for byte in utf8 { appendEscaped(byte) }
                bytes.append(UInt8(ascii: "\""))
                return
            }
            append(upTo: utf8.count + 2) { end in
                end.put(UInt8(ascii: "\""))
                end.put(utf8)
                end.put(UInt8(ascii: "\""))
            }
        }
    }

    /// Nearly every text has nothing to escape and is copied in one piece.
    private mutating func appendEscaped(_ text: String) {
        Self.withUTF8(text) { utf8 in
            if Self.isPlain(utf8) {
                append(upTo: utf8.count) { $0.put(utf8) }
            } else {
                for byte in utf8 { appendEscaped(byte) }
            }
        }
    }

    /// Where the next byte goes.
    private struct End {
        var next: UnsafeMutablePointer<UInt8>

        @inline(__always)
        mutating func put(_ byte: UInt8) {
            next.initialize(to: byte)
            next += 1
        }

        @inline(__always)
        mutating func put(_ piece: UnsafeBufferPointer<UInt8>) {
            guard let start = piece.baseAddress else { return }
            next.initialize(from: start, count: piece.count)
            next += piece.count
        }
    }

    /// Makes room once for what `body` puts, so that the pieces need no check each.
    @inline(__always)
    private mutating func append(upTo count: Int, _ body: (inout End) -> Void) {
        bytes.append(addingCapacity: count) { span in
            span.withUnsafeMutableBufferPointer { room, initialized in
                guard let start = room.baseAddress else { return }
                var end = End(next: start + initialized)
                body(&end)
                initialized = end.next - start
            }
        }
    }

    /// The bytes of `text`; copies it only when it does not lie in one piece.
    @inline(__always)
    private static func withUTF8(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        if text.utf8.withContiguousStorageIfAvailable(body) == nil {
            var copy = text
            copy.withUTF8(body)
        }
    }

    /// Whether nothing is to be escaped. Looks at eight bytes at once: a quote or backslash becomes a zero byte by the
    /// exclusive or, and subtracting borrows into the high bit of a byte that is too small.
    /// Source: S. E. Anderson, "Bit Twiddling Hacks", "Determine if a word has a byte less than n".
    private static func isPlain(_ utf8: UnsafeBufferPointer<UInt8>) -> Bool {
        let bytes = UnsafeRawBufferPointer(utf8)
        let ones: UInt64 = 0x0101_0101_0101_0101
        var index = 0
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let slash = word ^ (ones &* 0x5C)
            let small = (word &- ones &* 0x20) & ~word
            let found = small | ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash)
            guard found & (ones &* 0x80) == 0 else { return false }
            index += 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            guard byte >= 0x20, byte != 0x22, byte != 0x5C else { return false }
            index += 1
        }
        return true
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0x0A: bytes.append(contentsOf: "\\n".utf8)
        case 0x0D: bytes.append(contentsOf: "\\r".utf8)
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        case 0..<0x20:
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(Self.digits[Int(byte >> 4)])
            bytes.append(Self.digits[Int(byte & 15)])
        default: bytes.append(byte)
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}

extension JSONValue {
    /// The compact JSON text, object keys ascending.
    package var serialized: [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.bytes
    }

    /// The compact JSON text as a string.
    package var text: String { String(decoding: serialized, as: UTF8.self) }
}
