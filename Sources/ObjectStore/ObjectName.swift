// SPDX-License-Identifier: Apache-2.0

/// A checked object name: project, container if any, and backup, each one plain path component.
struct ObjectName: Sendable, Hashable {
    var project: String
    /// nil: beside the project's containers.
    var container: String?
    var backup: String

    var text: String { directory + "/" + backup }
    /// Where the object lies.
    var directory: String { container.map { project + "/" + $0 } ?? project }

    /// - Throws: `.invalidName` unless `text` is two or three components of `A-Z a-z 0-9 . _ -` of at most 200 bytes.
    init(_ text: String) throws(ObjectStoreError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard 2...3 ~= parts.count, parts.allSatisfy(Self.isComponent) else {
            throw ObjectStoreError(
                .invalidName,
                "An object name is <project>/<backup id> or <project>/<container>/<backup id> of letters, digits, '.', '_'"
                    + " and '-'.")
        }
        project = parts[0]
        container = parts.count == 3 ? parts[1] : nil
        backup = parts[parts.count - 1]
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
