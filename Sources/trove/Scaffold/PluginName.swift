// SPDX-License-Identifier: Apache-2.0

/// The name of a new plugin: of its directory, its library and what it is called in build files.
struct PluginName {
    let text: String

    /// - Parameter text: 2 to 40 lower-case letters, digits and single `-`; a letter first, no `-` last.
    init?(_ text: String) {
        guard (2...40).contains(text.utf8.count), text.wholeMatch(of: #/[a-z][a-z0-9]*(-[a-z0-9]+)*/#) != nil else {
            return nil
        }
        self.text = text
    }

    /// The name as a Swift type has it: `blue-whale` becomes `BlueWhale`.
    var camelCase: String {
        text.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// Whether a text is a plugin id: two or more parts of letters, digits, '-' and '_' between dots, at most 127 bytes.
    static func isIdentifier(_ text: String) -> Bool {
        text.utf8.count <= 127 && text.wholeMatch(of: #/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+/#) != nil
    }
}
