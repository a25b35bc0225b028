// SPDX-License-Identifier: Apache-2.0

/// Counts kills for lack of memory in the engine's cgroups.
///
/// Shape of the files: lines `oom_kill N` (`memory.events` of version 2, `memory.oom_control` of version 1), or a number.
/// Source: kernel documentation, cgroup-v2 "Memory Interface Files", cgroup-v1 "OOM Control".
struct MemoryKillCounter: Sendable {
    let paths: [String]

    /// The sum over all files; one that cannot be read counts nothing.
    var total: Int {
        paths.reduce(0) { sum, path in
            guard let content = try? FileAccess.read(path, limit: 64 << 10) else { return sum }
            return sum + Self.kills(in: String(decoding: content, as: UTF8.self))
        }
    }

    static func kills(in text: String) -> Int {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == "oom_kill" { return Int(words[1]) ?? 0 }
        }
        return Int(text.split(whereSeparator: \.isWhitespace).first ?? "") ?? 0
    }
}
