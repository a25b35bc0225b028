// SPDX-License-Identifier: Apache-2.0

import RedisClient

/// What `INFO` says: lines `name:value`.
struct EngineInfo {
    let values: [String: String]

    init(_ reply: Reply) {
        let lines = (reply.textValue ?? "").split(whereSeparator: \.isNewline)
        let pairs = lines.compactMap { line -> (String, String)? in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        values = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// A number; 0 if it is not there.
    func number(_ name: String) -> Int { values[name].flatMap { Int($0) } ?? 0 }
}
