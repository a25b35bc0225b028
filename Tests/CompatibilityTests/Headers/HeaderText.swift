// SPDX-License-Identifier: Apache-2.0

/// A C header as its declarations, without comments and layout.
struct HeaderText: Equatable {
    /// Lines that begin with `#`, and declarations up to their `;` outside of braces; one space between tokens.
    let declarations: [String]

    init(_ text: String) {
        var parser = Parser(bytes: Array(Self.withoutComments(Array(text.utf8))))
        declarations = parser.parse()
    }

    /// Comments become one space, spliced lines one line. Source: C11, 5.1.1.2.
    private static func withoutComments(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        func at(_ offset: Int) -> UInt8? { index + offset < bytes.count ? bytes[index + offset] : nil }
        while let byte = at(0) {
            if byte == UInt8(ascii: "\\"), at(1) == UInt8(ascii: "\n") {
                index += 2
            } else if byte == UInt8(ascii: "/"), at(1) == UInt8(ascii: "*") {
                index += 2
                while index < bytes.count, !(at(0) == UInt8(ascii: "*") && at(1) == UInt8(ascii: "/")) { index += 1 }
                index += 2
                result.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "/"), at(1) == UInt8(ascii: "/") {
                while let next = at(0), next != UInt8(ascii: "\n") { index += 1 }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                let literal = HeaderText.literal(bytes, from: index)
                result += literal
                index += literal.count
            } else {
                result.append(byte)
                index += 1
            }
        }
        return result
    }

    /// A string or character literal with its quotes.
    fileprivate static func literal(_ bytes: [UInt8], from start: Int) -> ArraySlice<UInt8> {
        var index = start + 1
        while index < bytes.count, bytes[index] != bytes[start] { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
        return bytes[start..<min(index + 1, bytes.count)]
    }
}

private struct Parser {
    let bytes: [UInt8]
    private var index = 0
    private var tokens: [String] = []
    private var declarations: [String] = []
    private var depth = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func parse() -> [String] {
        var startsLine = true
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") {
                startsLine = true
                index += 1
            } else if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") {
                index += 1
            } else if startsLine, byte == UInt8(ascii: "#") {
                directive()
            } else {
                startsLine = false
                take(token())
            }
        }
        flush()
        return declarations
    }

    /// A line of the preprocessor stands alone, also between the members of a struct.
    private mutating func directive() {
        var words: [String] = []
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
            if bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\t") {
                index += 1
            } else {
                words.append(token())
            }
        }
        declarations.append(words.joined(separator: " "))
    }

    private mutating func token() -> String {
        let start = index
        if bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "'") {
            index += HeaderText.literal(bytes, from: index).count
        } else if Self.isWord(bytes[index]) {
            while index < bytes.count, Self.isWord(bytes[index]) { index += 1 }
        } else {
            index += 1
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func take(_ token: String) {
        if token == "}", depth == 0 {  // Of `extern "C" {`.
            flush()
            declarations.append(token)
            return
        }
        tokens.append(token)
        switch token {
        case "{" where tokens == ["extern", "\"C\"", "{"]: flush()
        case "{": depth += 1
        case "}": depth -= 1
        case ";" where depth == 0: flush()
        default: break
        }
    }

    private mutating func flush() {
        if !tokens.isEmpty { declarations.append(tokens.joined(separator: " ")) }
        tokens = []
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }
}
