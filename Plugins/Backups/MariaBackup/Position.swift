// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Where a backup ends, as the host keeps it.
///
/// Shape: `{"to_lsn": text, since it may be beyond 2^53, "history"°: text}`.
struct Position: Sendable, Hashable {
    var to: UInt64
    /// `DataHistory` of the data that was copied; nil where it could not be marked, and nothing can be added to the backup.
    var history: String?

    init(to: UInt64, history: String?) {
        self.to = to
        self.history = history
    }

    /// - Throws: `invalidArgument` naming the member.
    init(_ json: JSON) throws {
        guard let to = UInt64(try json.text("to_lsn")) else {
            throw PluginFailure(.invalidArgument, "the member 'to_lsn' of a position must be the digits of a number")
        }
        self.to = to
        history = try json.optionalText("history")
    }

    var json: JSON { .members(["to_lsn": .string(String(to)), "history": history.map(JSON.string)]) }
}
