// SPDX-License-Identifier: Apache-2.0

/// Where the values of a JSON text stand, in their order: what is behind a value is found without reading it again.
///
/// The text is one that this service wrote, so its words and numbers are not checked; one that is not well nested has no tape.
struct JSONTape {
    enum Kind: UInt8 {
        case object, array, string
        /// A number, `true`, `false` or `null`.
        case word
    }

    struct Node {
        var kind: Kind
        /// Of a string, whether something in it is escaped.
        var isEscaped = false
        /// Bytes of the text; of a string, between its quotes.
        var start: Int32
        var end: Int32
        /// The node behind this value and all that is in it.
        var next: Int32 = 0
    }

    /// In an object a member is a string, its name, and the value behind it.
    private(set) var nodes: [Node] = []

    private struct Container {
        var node: Int
        var isObject: Bool
        var count = 0
    }

    private var open: [Container] = []

    init?(_ text: UnsafeBufferPointer<UInt8>) {
        nodes.reserveCapacity(text.count / 8)
        var index = 0
        while index < text.count {
            let byte = text[index]
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: ":"): index += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = byte == UInt8(ascii: "{")
                guard begin(Node(kind: isObject ? .object : .array, start: Int32(index), end: Int32(index))) else {
                    return nil
                }
                open.append(Container(node: nodes.count - 1, isObject: isObject))
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard let container = open.popLast(), container.isObject == (byte == UInt8(ascii: "}")),
                    !container.isObject || container.count % 2 == 0
                else { return nil }
                index += 1
                nodes[container.node].end = Int32(index)
                nodes[container.node].next = Int32(nodes.count)
            case UInt8(ascii: "\""): guard addString(text, &index) else { return nil }
            default: guard addWord(text, &index) else { return nil }
            }
        }
        guard open.isEmpty, !nodes.isEmpty, nodes[0].next == nodes.count else { return nil }
    }

    /// The nodes of the values in an array, or of names and values in turn.
    func children(_ node: Int) -> [Int] {
        var children: [Int] = []
        var child = node + 1
        while child < nodes[node].next {
            children.append(child)
            child = Int(nodes[child].next)
        }
        return children
    }

    /// Adds a value; false for an object's value where a name belongs.
    private mutating func begin(_ node: Node) -> Bool {
        if let last = open.indices.last {
            guard !open[last].isObject || open[last].count % 2 == 1 || node.kind == .string else { return false }
            open[last].count += 1
        }
        nodes.append(node)
        return true
    }

    private mutating func addString(_ text: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Bool {
        let start = index + 1
        var end = start
        var isEscaped = false
        while true {
            end = WordBytes.skip(text, from: end) { WordBytes.equal($0, 0x22) | WordBytes.equal($0, 0x5C) }
            while end < text.count, text[end] != UInt8(ascii: "\""), text[end] != UInt8(ascii: "\\") { end += 1 }
            guard end < text.count, text[end] == UInt8(ascii: "\\") else { break }
            isEscaped = true
            end += 2
        }
        guard end < text.count else { return false }
        index = end + 1
        return begin(
            Node(
                kind: .string, isEscaped: isEscaped, start: Int32(start), end: Int32(end), next: Int32(nodes.count + 1))
        )
    }

    private mutating func addWord(_ text: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Bool {
        let start = index
        while index < text.count, !Self.endsWord(text[index]) { index += 1 }
        guard index > start else { return false }
        return begin(Node(kind: .word, start: Int32(start), end: Int32(index), next: Int32(nodes.count + 1)))
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "}"),
            UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "\""):
            true
        default: false
        }
    }
}
