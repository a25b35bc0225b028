// SPDX-License-Identifier: Apache-2.0

/// An openrc file, read without a shell.
package enum OpenRC {
    /// `export NAME=value` lines, the value bare or in single quotes. Source: POSIX shell, "Single-Quotes".
    package static func variables(_ text: String) -> [String: String] {
        var variables: [String: String] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("export ") {
            let parts = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            variables[String(parts[0])] = unquoted(String(parts[1]))
        }
        return variables
    }

    private static func unquoted(_ text: String) -> String {
        var (value, isQuoted, isEscaped) = ("", false, false)
        for character in text {
            switch character {
            case _ where isEscaped:
                value.append(character)
                isEscaped = false
            case "'": isQuoted.toggle()
            case "\\" where !isQuoted: isEscaped = true
            default: value.append(character)
            }
        }
        return value
    }
}
