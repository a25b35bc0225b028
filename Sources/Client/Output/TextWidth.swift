// SPDX-License-Identifier: Apache-2.0

/// How much room text takes on a terminal.
///
/// Source: Unicode Standard Annex #11, "East Asian Width", and #51 for emoji.
package enum TextWidth {
    /// Columns of one line.
    package static func columns(_ text: String) -> Int {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
            ? text.utf8.count : text.reduce(0) { $0 + columns($1) }
    }

    /// 0, 1 or 2.
    package static func columns(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        // U+FE0F asks for the emoji form of what precedes it.
        if scalars.count > 1, scalars.contains(where: { $0.value == 0xFE0F || $0.properties.isEmojiPresentation }) {
            return 2
        }
        return scalars.reduce(0) { max($0, columns($1)) }
    }

    private static func columns(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    /// Blocks whose width is W or F.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
        0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60,
        0xFFE0...0xFFE6, 0x1B000...0x1B2FF, 0x1F200...0x1F2FF, 0x20000...0x3FFFD,
    ]

    /// The text with what would move a terminal's cursor, colour it or turn its direction written out; line ends stay.
    package static func visible(_ text: String) -> String {
        func isSafe(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case 0x0A: true
            case 0x202A...0x202E, 0x2066...0x2069: false
            default: scalar.properties.generalCategory != .control
            }
        }
        guard !text.unicodeScalars.allSatisfy(isSafe) else { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            if isSafe(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return shown
    }

    /// Lines of at most `width` columns.
    package static func wrapped(_ line: String, to width: Int) -> [String] {
        guard columns(line) > width else { return [line] }
        var (lines, current, used, lastBlank) = ([String](), "", 0, String.Index?.none)
        for character in line {
            let size = columns(character)
            if used + size > width, !current.isEmpty {
                // Breaks at the last blank, so that words stay whole.
                if character == " " {
                    lines.append(current)
                    (current, used, lastBlank) = ("", 0, nil)
                    continue
                }
                if let blank = lastBlank, blank > current.startIndex {
                    lines.append(String(current[..<blank]))
                    current = String(current[current.index(after: blank)...])
                } else {
                    lines.append(current)
                    current = ""
                }
                used = columns(current)
                lastBlank = nil
            }
            if character == " " { lastBlank = current.endIndex }
            current.append(character)
            used += size
        }
        return current.isEmpty ? lines : lines + [current]
    }
}
