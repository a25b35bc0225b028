// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// What the tool wrote down about a copy, in the file `xtrabackup_checkpoints` beside it.
///
/// Numbers are positions in the engine's log, in bytes since its beginning. Source: mariabackup, "Files Created by
/// mariabackup".
struct Checkpoints: Sendable, Hashable {
    static let file = "xtrabackup_checkpoints"

    enum Kind: Sendable, Hashable {
        /// A whole copy, as it was unpacked.
        case full
        /// What changed since another copy.
        case incremental
        /// A whole copy whose log is applied.
        case prepared
    }

    var kind: Kind
    /// Where what is in the copy begins; 0 of a whole one.
    var from: UInt64
    /// Where the next increment begins.
    var to: UInt64

    /// Reads the file in `directory`; nil when it is not there, or not one.
    init?(in directory: String) throws {
        guard let text = try PluginFiles.read(directory + "/" + Self.file) else { return nil }
        self.init(text)
    }

    init?(_ text: String) {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map { part in
                String(part.filter { !$0.isWhitespace })
            }
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        switch values["backup_type"] {
        case "full-backuped": kind = .full
        case "incremental": kind = .incremental
        case "log-applied", "full-prepared": kind = .prepared
        default: return nil
        }
        guard let from = values["from_lsn"].flatMap({ UInt64($0) }), let to = values["to_lsn"].flatMap({ UInt64($0) })
        else { return nil }
        self.from = from
        self.to = to
    }
}
