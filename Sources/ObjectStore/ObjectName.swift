// SPDX-License-Identifier: Apache-2.0

/// A checked object name: project and backup, each one plain path component.
struct ObjectName: Sendable, Hashable {
    var project: String
    var backup: String

    var text: String { project + "/" + backup }

    /// - Throws: `.invalidName` unless `text` is two components of `A-Z a-z 0-9 . _ -` of at most 200 bytes.
    init(_ text: String) throws(ObjectStoreError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, Self.isComponent(parts[0]), Self.isComponent(parts[1]) else {
            throw ObjectStoreError(
                .invalidName, "An object name is <project>/<backup id> of letters, digits, '.', '_' and '-'.")
        }
        project = parts[0]
        backup = parts[1]
    }

    /// Whether `text` can be one component: it never leaves its directory and never looks like a partial file.
    static func isComponent(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 200, text != ".", text != ".." else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
