// SPDX-License-Identifier: Apache-2.0

/// Reads the XML of requests.
///
/// Shape: one UTF-8 document of XML 1.0 with namespaces, without a document type: so there are no entities but the five of
/// the language and those of characters, and nothing outside of the text is ever looked at. Nesting deeper than
/// `maximumDepth`, and text beside elements, are refused. Time and memory grow with the bytes.
///
/// Source: Extensible Markup Language 1.0, fifth edition; Namespaces in XML 1.0. The toolchain's `XMLParser` is no choice: it
/// reads on behind errors, takes documents that end early, says nothing of document types, has no limit of depth, and needs
/// seconds for the attributes that fit a megabyte.
struct XMLReader {
    static let maximumDepth = 64

    let bytes: [UInt8]
    var index = 0
    /// How many open elements declare a prefix.
    private var prefixes: [String: Int] = ["xml": 1]

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The document's root.
    ///
    /// - Throws: 400 `Malformed request body: …`, with the place and none of the text.
    static func read(_ bytes: [UInt8]) throws(APIFault) -> XMLElement {
        var reader = XMLReader(bytes)
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw APIFault(400, "Malformed request body: XML must be UTF-8.")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.index = 3 }
        try reader.readDeclaration()
        try reader.skipMiscellany()
        guard reader.current == UInt8(ascii: "<") else { throw reader.fault("expected an element") }
        let root = try reader.readElement(depth: 0)
        try reader.skipMiscellany()
        guard reader.current == nil else { throw reader.fault("unexpected bytes after the root element") }
        return root
    }

    // MARK: - Elements

    /// From its `<` to behind its end.
    private mutating func readElement(depth: Int) throws(APIFault) -> XMLElement {
        guard depth < Self.maximumDepth else { throw fault("nested deeper than \(Self.maximumDepth) levels") }
        index += 1
        let name = try readName()
        var element = XMLElement(name: name.local)
        let declared = try readAttributes(&element)
        for prefix in declared { prefixes[prefix, default: 0] += 1 }
        try requireBound(name)
        if skip("/>") {
            for prefix in declared { prefixes[prefix, default: 1] -= 1 }
            return element
        }
        guard skip(">") else { throw fault("expected '>'") }
        try readContent(&element, depth: depth)
        guard try readName() == name else { throw fault("the end tag is not the open element's") }
        skipSpace()
        guard skip(">") else { throw fault("expected '>'") }
        for prefix in declared { prefixes[prefix, default: 1] -= 1 }
        return element
    }

    /// Up to the name in its end tag.
    private mutating func readContent(_ element: inout XMLElement, depth: Int) throws(APIFault) {
        var text: [UInt8] = []
        while true {
            try readText(into: &text)
            if skip("</") { break }
            if skip("<!--") {
                try skipComment()
            } else if skip("<![CDATA[") {
                try readSection(into: &text)
            } else if skip("<?") {
                try skipInstruction()
            } else if skip("<!") {
                throw fault("a document type is not allowed")
            } else if current == nil {
                throw fault("unexpected end")
            } else {
                element.children.append(try readElement(depth: depth + 1))
            }
        }
        guard !text.isEmpty else { return }
        guard element.children.isEmpty else { throw fault("text stands beside elements") }
        element.text = String(decoding: text, as: UTF8.self)
    }

    /// A run of text up to the next `<`; blanks alone are none.
    private mutating func readText(into text: inout [UInt8]) throws(APIFault) {
        let start = text.count
        var isBlank = true
        while let byte = current, byte != UInt8(ascii: "<") {
            if byte == UInt8(ascii: "&") {
                text.append(contentsOf: try readReference())
                isBlank = false
            } else {
                if byte == UInt8(ascii: "]"), isNext("]]>") { throw fault("unexpected ']]>'") }
                if !XMLCharacters.isSpace(byte) { isBlank = false }
                try copyCharacter(into: &text)
            }
        }
        if isBlank { text.removeSubrange(start...) }
    }

    private mutating func readSection(into text: inout [UInt8]) throws(APIFault) {
        while !skip("]]>") {
            guard current != nil else { throw fault("unexpected end") }
            try copyCharacter(into: &text)
        }
    }

    // MARK: - Attributes

    /// A name as it is written.
    private struct Name: Equatable {
        var prefix: String?
        var local: String
    }

    /// Reads attributes up to `>` or `/>`.
    ///
    /// - Returns: The prefixes that they declare.
    private mutating func readAttributes(_ element: inout XMLElement) throws(APIFault) -> [String] {
        var seen: Set<String> = []
        var declared: [String] = []
        var used: [Name] = []
        while true {
            let hadSpace = skipSpace()
            guard let byte = current else { throw fault("unexpected end") }
            if byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") { break }
            guard hadSpace else { throw fault("expected a blank before an attribute") }
            let name = try readName()
            let value = try readAttributeValue()
            guard seen.insert((name.prefix.map { $0 + ":" } ?? "") + name.local).inserted else {
                throw fault("an attribute stands twice")
            }
            switch (name.prefix, name.local) {
            case (nil, "xmlns"): continue
            case (nil, _): element.attributes.append(XMLElement.Attribute(name: name.local, value: value))
            case ("xmlns", _): declared.append(name.local)
            default: used.append(name)
            }
        }
        for name in used where !declared.contains(name.prefix ?? "") { try requireBound(name) }
        return declared
    }

    private mutating func readAttributeValue() throws(APIFault) -> String {
        skipSpace()
        guard skip("=") else { throw fault("expected '='") }
        skipSpace()
        guard let quote = current, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw fault("expected a quoted value")
        }
        index += 1
        var value: [UInt8] = []
        while let byte = current, byte != quote {
            switch byte {
            case UInt8(ascii: "<"): throw fault("unexpected '<' in a value")
            case UInt8(ascii: "&"): value.append(contentsOf: try readReference())
            default:
                let count = value.count
                try copyCharacter(into: &value)
                if value.count > count, XMLCharacters.isSpace(value[count]) { value[count] = 0x20 }
            }
        }
        guard current == quote else { throw fault("unexpected end") }
        index += 1
        return String(decoding: value, as: UTF8.self)
    }

    private func requireBound(_ name: Name) throws(APIFault) {
        guard let prefix = name.prefix, prefixes[prefix, default: 0] == 0 else { return }
        throw fault("a prefix is not declared")
    }

    private mutating func readName() throws(APIFault) -> Name {
        let start = index
        guard let first = scalar, XMLCharacters.mayStartName(first.value) else { throw fault("expected a name") }
        index += first.length
        while let next = scalar, XMLCharacters.mayBeInName(next.value) { index += next.length }
        let parts = bytes[start..<index].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count <= 2, let last = parts.last, !parts.contains(where: \.isEmpty) else {
            throw fault("unexpected ':' in a name")
        }
        let prefix = parts.count == 2 ? String(decoding: parts[0], as: UTF8.self) : nil
        return Name(prefix: prefix, local: String(decoding: last, as: UTF8.self))
    }
}

// MARK: - Around the root

extension XMLReader {
    /// `<?xml version="1.0" encoding="UTF-8"?>`
    private mutating func readDeclaration() throws(APIFault) {
        guard isNext("<?xml"), index + 5 < bytes.count, XMLCharacters.isSpace(bytes[index + 5]) else { return }
        index += 5
        var words = ["version", "encoding", "standalone"]
        while skipSpace(), current != UInt8(ascii: "?") {
            let name = try readName()
            let value = try readAttributeValue()
            guard let place = words.firstIndex(of: name.local), place == 0 || words.count < 3 else {
                throw fault("unexpected word in the declaration")
            }
            words.removeFirst(place + 1)
            switch name.local {
            case "version": guard value.hasPrefix("1.") else { throw fault("this version of XML is not known") }
            case "encoding":
                guard ["utf-8", "utf8", "us-ascii"].contains(value.lowercased()) else {
                    throw fault("XML must be UTF-8")
                }
            default: guard value == "yes" || value == "no" else { throw fault("expected 'yes' or 'no'") }
            }
        }
        guard words.count < 3, skip("?>") else { throw fault("the declaration is not complete") }
    }

    /// Blanks, comments and instructions.
    private mutating func skipMiscellany() throws(APIFault) {
        while true {
            skipSpace()
            if skip("<!--") {
                try skipComment()
            } else if skip("<?") {
                try skipInstruction()
            } else if isNext("<!") {
                throw fault("a document type is not allowed")
            } else {
                return
            }
        }
    }

    private mutating func skipComment() throws(APIFault) {
        while !skip("--") {
            guard current != nil else { throw fault("unexpected end") }
            try skipCharacter()
        }
        guard skip(">") else { throw fault("unexpected '--' in a comment") }
    }

    private mutating func skipInstruction() throws(APIFault) {
        let target = try readName()
        guard target.prefix == nil, target.local.lowercased() != "xml" else { throw fault("unexpected declaration") }
        guard isNext("?>") || skipSpace() else { throw fault("expected a blank") }
        while !skip("?>") {
            guard current != nil else { throw fault("unexpected end") }
            try skipCharacter()
        }
    }
}
