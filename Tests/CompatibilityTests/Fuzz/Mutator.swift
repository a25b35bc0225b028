// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport

/// Makes documents wrong, the same way for the same seed.
struct Mutator: RandomNumberGenerator {
    private let source: SeededRandomSource

    init(seed: UInt64) { source = SeededRandomSource(seed: seed) }

    mutating func next() -> UInt64 { source.bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// A document with one to three changes somewhere in it.
    mutating func mutate(_ value: JSONValue) -> JSONValue {
        (0..<Int.random(in: 1...3, using: &self)).reduce(value) { value, _ in
            var left = Int.random(in: 0..<Self.count(value), using: &self)
            return change(value, &left)
        }
    }

    /// A text with one to four changes of its bytes.
    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) where !bytes.isEmpty {
            let at = Int.random(in: bytes.indices, using: &self)
            switch Int.random(in: 0..<6, using: &self) {
            case 0: bytes[at] = UInt8.random(in: .min ... .max, using: &self)
            case 1: bytes.remove(at: at)
            case 2: bytes.insert("{}[]\",:0\\e-".utf8.randomElement(using: &self) ?? 0, at: at)
            case 3: bytes.removeSubrange(at...)
            case 4: bytes.insert(contentsOf: bytes[at...].prefix(40), at: at)
            default: bytes.swapAt(at, Int.random(in: bytes.indices, using: &self))
            }
        }
        return bytes
    }

    /// Values of every kind, at the ends of what readers take.
    mutating func junk() -> JSONValue {
        let values: [JSONValue] = [
            .null, true, false, 0, 1, -1, 255, 256, 65536, .int(.max), .int(.min), .int((1 << 53) + 1), 0.5, -0.0,
            1e308,
            .double(.leastNonzeroMagnitude), "", " ", "0", "-0", "1e3", "1.0", "99999999999999999999", "true", "\0",
            "a\nb\u{1B}[31m", "\u{202E}ü\u{10FFFF}", "../x", "/", "a/b", "trove.datastore/1", "trove.datastore/99999",
            "QQ==", "QQ=", "guest", "control", [], [:], [[]], ["name": "x"], [1, "a", .null],
            .string(String(repeating: "x", count: 5000)), .array(Array(repeating: ["name": "a"], count: 300)),
            Self.deep,
        ]
        return values.randomElement(using: &self) ?? .null
    }

    private static let deep: JSONValue = (0..<20).reduce(1) { value, _ in [value] }

    private static func count(_ value: JSONValue) -> Int {
        switch value {
        case .array(let items): items.reduce(1) { $0 + count($1) }
        case .object(let members): members.values.reduce(1) { $0 + count($1) }
        default: 1
        }
    }

    /// Changes the value that is `left` values further, in the order of keys.
    private mutating func change(_ value: JSONValue, _ left: inout Int) -> JSONValue {
        if left == 0 {
            left = -1
            return replacement(value)
        }
        left -= 1
        switch value {
        case .array(var items):
            for index in items.indices where left >= 0 { items[index] = change(items[index], &left) }
            return .array(items)
        case .object(var members):
            for key in members.keys.sorted() where left >= 0 { members[key] = change(members[key] ?? .null, &left) }
            return .object(members)
        default: return value
        }
    }

    private mutating func replacement(_ value: JSONValue) -> JSONValue {
        let kind = Int.random(in: 0..<4, using: &self)
        switch value {
        case .array(var items) where kind > 0:
            let at = Int.random(in: 0...items.count, using: &self)
            if kind == 1, at < items.count { items.remove(at: at) } else { items.insert(junk(), at: at) }
            if kind == 3, let item = items.randomElement(using: &self) { items.append(item) }
            return .array(items)
        case .object(var members) where kind > 0:
            let key = members.keys.sorted().randomElement(using: &self) ?? "more"
            switch kind {
            case 1: members[key] = nil
            case 2: members[key + "s\n"] = junk()
            default: members[key] = junk()
            }
            return .object(members)
        case .string(let text) where kind > 1:
            return .string(String(decoding: mutate(Array(text.utf8)), as: UTF8.self))
        case .int(let number) where kind > 1:
            return .int(number &+ Int64.random(in: -3...3, using: &self))
        default: return junk()
        }
    }
}
