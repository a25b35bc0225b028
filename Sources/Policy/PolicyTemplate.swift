// SPDX-License-Identifier: Apache-2.0

/// The right side of a check: text with `%(name)s` for values of the target and `%%` for a percent sign.
struct PolicyTemplate: Sendable, Hashable {
    enum Piece: Sendable, Hashable {
        case text(String)
        case target(PolicyTarget.Name)
    }

    let pieces: [Piece]
    /// Names in it that no target has.
    let unknownNames: [String]

    /// - Throws: `.syntax` for another conversion than `s`.
    init(_ text: String) throws(PolicyError) {
        var pieces: [Piece] = []
        var unknown: [String] = []
        var literal = ""
        var rest = text[...]
        while let percent = rest.firstIndex(of: "%") {
            literal += rest[..<percent]
            rest = rest[percent...].dropFirst()
            if rest.first == "%" {
                literal += "%"
                rest = rest.dropFirst()
                continue
            }
            guard rest.first == "(", let end = rest.firstIndex(of: ")"), rest[end...].dropFirst().first == "s" else {
                throw PolicyError(.syntax, "'%' in '\(text)' must begin %(name)s, or be written %%")
            }
            let name = String(rest[rest.index(after: rest.startIndex)..<end])
            if !literal.isEmpty { pieces.append(.text(literal)) }
            literal = ""
            pieces.append(.target(PolicyTarget.Name(name)))
            if !PolicyTarget.names.contains(name) { unknown.append(name) }
            rest = rest[end...].dropFirst(2)
        }
        literal += rest
        if !literal.isEmpty || pieces.isEmpty { pieces.append(.text(literal)) }
        self.pieces = pieces
        unknownNames = unknown
    }

    /// Whether it is `value` once filled; false when the target lacks a name.
    func equals(_ value: String, _ target: PolicyTarget) -> Bool {
        if pieces.count == 1 {
            switch pieces[0] {
            case .text(let text): return text == value
            case .target(let name): return target.value(name) == value
            }
        }
        return filled(target) == value
    }

    /// Whether it is one of `roles` once filled, in any case of letters.
    func equalsRole(_ roles: [String], _ target: PolicyTarget) -> Bool {
        if pieces.count == 1, case .text(let text) = pieces[0] { return roles.contains { Self.isSame($0, text) } }
        guard let text = filled(target) else { return false }
        return roles.contains { Self.isSame($0, text) }
    }

    private func filled(_ target: PolicyTarget) -> String? {
        var text = ""
        for piece in pieces {
            switch piece {
            case .text(let literal): text += literal
            case .target(let name):
                guard let value = target.value(name) else { return nil }
                text += value
            }
        }
        return text
    }

    private static func isSame(_ left: String, _ right: String) -> Bool {
        if left == right { return true }
        guard left.utf8.allSatisfy({ $0 < 128 }), right.utf8.allSatisfy({ $0 < 128 }) else {
            return left.lowercased() == right.lowercased()
        }
        return left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }
}
