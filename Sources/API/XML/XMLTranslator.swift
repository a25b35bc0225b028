// SPDX-License-Identifier: Apache-2.0

/// Writes a finished JSON document as XML, elements in the order of its members.
///
/// Source: XML representation §2 and §3. A document that has not one member beside links, which only plugins and
/// management have, stands in `<result>`, so that every answer has a form.
struct XMLTranslator {
    enum Kind {
        case resource
        /// The API's own versions.
        case versions
        /// The code is an attribute; the namespace stands only on a rate limit's.
        case fault
    }

    private let text: XMLBytes
    private let tape: JSONTape
    private let kind: Kind
    private var isCompact = false
    private var output = XMLOutput()

    /// The XML of `json`; nil when that is not a JSON document.
    static func translate(_ json: [UInt8], _ kind: Kind) -> [UInt8]? {
        json.withUnsafeBufferPointer { text in
            guard let tape = JSONTape(text) else { return nil }
            var translator = XMLTranslator(text: text, tape: tape, kind: kind)
            translator.output.bytes.reserveCapacity(text.count * 2 + 256)
            translator.writeDocument()
            return translator.output.bytes
        }
    }

    private init(text: XMLBytes, tape: JSONTape, kind: Kind) {
        self.text = text
        self.tape = tape
        self.kind = kind
    }

    // MARK: - Document

    private mutating func writeDocument() {
        let root = soleMember
        isCompact = kind == .fault && root.map { member($0.value, "retryAfter") } ?? false
        output.put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        if !isCompact { output.put("\n") }
        if let root {
            writeElement(bytes(root.name), root.value, depth: 0, links: root.links)
        } else {
            writeElement(XMLBytes("result"), 0, depth: 0, links: nil)
        }
        if !isCompact { output.put("\n") }
    }

    /// The one member beside `links`; the page's links are also found under the collection's name, as some clients do.
    private var soleMember: (name: Int, value: Int, links: Int?)? {
        guard tape.nodes[0].kind == .object else { return nil }
        let children = tape.children(0)
        let names = stride(from: 0, to: children.count, by: 2).map { children[$0] }
        guard let links = names.first(where: { bytes($0).isEqual("links") }) else {
            return names.count == 1 ? (names[0], names[0] + 1, nil) : nil
        }
        let others = names.filter { $0 != links && !bytes($0).hasSuffix("_links") }
        guard let name = others.first ?? (names.count == 1 ? links : nil), others.count <= 1 else { return nil }
        guard name != links else { return (name, name + 1, nil) }
        guard tape.nodes[name + 1].kind.rawValue < JSONTape.Kind.string.rawValue else { return nil }
        return (name, name + 1, links + 1)
    }

    /// Whether an object has a member.
    private func member(_ node: Int, _ name: StaticString) -> Bool {
        guard tape.nodes[node].kind == .object else { return false }
        return tape.children(node).enumerated().contains { $0 % 2 == 0 && bytes($1).isEqual(name) }
    }

    private func bytes(_ node: Int) -> XMLBytes {
        XMLBytes(rebasing: text[Int(tape.nodes[node].start)..<Int(tape.nodes[node].end)])
    }

    // MARK: - Elements

    /// - Parameter links: Of a page: the last child of the root.
    private mutating func writeElement(_ name: XMLBytes, _ node: Int, depth: Int, links: Int?) {
        output.put("<")
        output.putName(name)
        if depth == 0, kind != .fault || isCompact {
            output.put(" xmlns=\"")
            output.put(XMLBytes(XMLVocabulary.namespace))
            output.put("\"")
        }
        switch tape.nodes[node].kind {
        case .object: writeObject(name, node, depth: depth, links: links)
        case .array: writeList(name, node, depth: depth, links: links)
        case .string, .word: writeScalar(name, node)
        }
    }

    private mutating func writeObject(_ name: XMLBytes, _ node: Int, depth: Int, links: Int?) {
        let attributes =
            kind == .fault && depth == 0
            ? Self.faultAttributes : XMLVocabulary.attributes(of: name, isVersions: kind == .versions)
        if !attributes.isEmpty { writeAttributes(attributes, node) }
        var hasChildren = false
        var member = node + 1
        while member < tape.nodes[node].next {
            let value = member + 1
            let name = bytes(member)
            member = Int(tape.nodes[value].next)
            if isAttribute(name, value, attributes) { continue }
            beginChild(&hasChildren, depth)
            writeElement(name, value, depth: depth + 1, links: nil)
        }
        end(name, depth: depth, links: links, &hasChildren)
    }

    private mutating func writeList(_ name: XMLBytes, _ node: Int, depth: Int, links: Int?) {
        let element = XMLVocabulary.element(of: name)
        var hasChildren = false
        var item = node + 1
        while item < tape.nodes[node].next {
            beginChild(&hasChildren, depth)
            writeElement(element, item, depth: depth + 1, links: nil)
            item = Int(tape.nodes[item].next)
        }
        end(name, depth: depth, links: links, &hasChildren)
    }

    private mutating func beginChild(_ hasChildren: inout Bool, _ depth: Int) {
        if !hasChildren { output.put(">") }
        hasChildren = true
        breakLine(depth + 1)
    }

    private mutating func end(_ name: XMLBytes, depth: Int, links: Int?, _ hasChildren: inout Bool) {
        if let links {
            beginChild(&hasChildren, depth)
            writeElement(XMLBytes("links"), links, depth: depth + 1, links: nil)
        }
        guard hasChildren else { return output.put("/>") }
        breakLine(depth)
        putEndTag(name)
    }

    private mutating func writeScalar(_ name: XMLBytes, _ node: Int) {
        guard tape.nodes[node].kind == .word || !bytes(node).isEmpty else { return output.put("/>") }
        output.put(">")
        putText(name, node, inAttribute: false)
        putEndTag(name)
    }

    private mutating func putEndTag(_ name: XMLBytes) {
        output.put("</")
        output.putName(name)
        output.put(">")
    }

    private mutating func breakLine(_ depth: Int) {
        if !isCompact { output.breakLine(depth) }
    }

    // MARK: - Attributes and texts

    private static let faultAttributes: [StaticString] = ["code", "retryAfter"]

    /// What is no scalar is a child wherever it stands.
    private func isAttribute(_ name: XMLBytes, _ value: Int, _ attributes: [StaticString]) -> Bool {
        let kind = tape.nodes[value].kind
        return (kind == .string || kind == .word) && attributes.contains { name.isEqual($0) }
    }

    private mutating func writeAttributes(_ attributes: [StaticString], _ node: Int) {
        var member = node + 1
        while member < tape.nodes[node].next {
            let name = bytes(member)
            let value = member + 1
            member = Int(tape.nodes[value].next)
            guard isAttribute(name, value, attributes) else { continue }
            output.put(" ")
            output.put(name)
            output.put("=\"")
            putText(name, value, inAttribute: true)
            output.put("\"")
        }
    }

    /// The value of a scalar called `name`.
    private mutating func putText(_ name: XMLBytes, _ node: Int, inAttribute: Bool) {
        let value = bytes(node)
        guard tape.nodes[node].kind == .string else {
            switch value[0] {
            case UInt8(ascii: "t"): output.put("True")
            case UInt8(ascii: "f"): output.put("False")
            case UInt8(ascii: "n"): output.put("None")
            default: output.put(value)
            }
            return
        }
        let start = output.bytes.count
        output.putEscaped(value, isEscaped: tape.nodes[node].isEscaped, inAttribute: inAttribute)
        if value.count >= 19, XMLVocabulary.isTime(name), Self.isTime(value) {
            output.bytes[start + 10] = UInt8(ascii: " ")
        }
    }

    /// `YYYY-MM-DDTHH:MM:SS`, with or without a fraction, without a zone: as the API has times.
    private static func isTime(_ text: XMLBytes) -> Bool {
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        return text.indices.allSatisfy { index in
            switch index {
            case 4, 7: text[index] == UInt8(ascii: "-")
            case 10: text[index] == UInt8(ascii: "T")
            case 13, 16: text[index] == UInt8(ascii: ":")
            case 19: text[index] == UInt8(ascii: ".")
            default: isDigit(text[index])
            }
        }
    }
}
