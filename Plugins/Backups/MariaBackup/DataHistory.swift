// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// A mark in the data directory that no backup copies: data that was restored, or made anew, has none, or another.
///
/// Positions in the log of one history mean nothing in another: the tool would take an increment between the two without
/// complaint, and what it made would be no copy of anything.
struct DataHistory: Sendable {
    private let path: String
    private static let length = 32

    init(_ instance: InstanceDocument) { path = instance.dataDirectory + "/.trove-history" }

    /// The mark that is there; nil when there is none.
    func read() throws -> String? {
        guard let text = try PluginFiles.read(path), text.utf8.count == Self.length else { return nil }
        return text
    }

    /// The mark; made when there is none.
    func readOrMake(owner: (uid: UInt32, gid: UInt32)) throws -> String {
        if let mark = try read() { return mark }
        let mark = RandomPassword.make(length: Self.length)
        try PluginFiles.write(mark, to: path, PluginFiles.Access(mode: 0o600, owner: owner))
        return mark
    }
}
