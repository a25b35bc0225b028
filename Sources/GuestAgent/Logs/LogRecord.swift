// SPDX-License-Identifier: Apache-2.0

import Model

/// What the agent remembers of one log, across agents.
///
/// Shape: `logs/<name>.json`: `{"published": int, "head"?: {"bytes", "digest"}, "next"?: {"object", "from", "to"}, "last_us"?: int,
/// "restart_after"?: pid}`.
struct LogRecord: Sendable, Hashable {
    /// The beginning of a file: another one means that it is another file.
    struct Head: Sendable, Hashable {
        var bytes: Int
        var digest: String
    }

    /// A part that is being published: written down first, so that an agent that ends meanwhile does not leave it twice.
    struct Part: Sendable, Hashable {
        /// Its name below the log's prefix.
        var object: String
        var from: Int
        var to: Int
    }

    /// Bytes of the file that are published.
    var publishedBytes = 0
    var head: Head?
    var next: Part?
    /// When the newest part was named.
    var lastNamed = Timestamp(microseconds: 0)
    /// The engine's process that does not know yet whether the log is on.
    var restartAfter: Int32?

    init() {}

    init(json: JSONValue) {
        publishedBytes = json["published"]?.intValue ?? 0
        if let head = json["head"], let bytes = head["bytes"]?.intValue, let digest = head["digest"]?.stringValue {
            self.head = Head(bytes: bytes, digest: digest)
        }
        if let next = json["next"], let object = next["object"]?.stringValue, let from = next["from"]?.intValue,
            let to = next["to"]?.intValue
        {
            self.next = Part(object: object, from: from, to: to)
        }
        lastNamed = Timestamp(microseconds: Int64(json["last_us"]?.intValue ?? 0))
        restartAfter = json["restart_after"]?.intValue.map(Int32.init)
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "published": .int(Int64(publishedBytes)), "last_us": .int(lastNamed.microseconds),
        ]
        if let head { members["head"] = ["bytes": .int(Int64(head.bytes)), "digest": .string(head.digest)] }
        if let next {
            members["next"] = [
                "object": .string(next.object), "from": .int(Int64(next.from)), "to": .int(Int64(next.to)),
            ]
        }
        if let restartAfter { members["restart_after"] = .int(Int64(restartAfter)) }
        return .object(members)
    }

    /// Whether `file` is not the one of which something was published: it was cut, or begins differently.
    func isRotated(_ file: EngineLogFile) throws(GuestAgentError) -> Bool {
        guard publishedBytes > 0, let head else { return false }
        guard file.sizeBytes >= publishedBytes else { return true }
        return try file.head(head.bytes) != head
    }

    /// A name after all that were given before. Shape: `log-` and a time with microseconds, which sorts by age.
    mutating func nameNext(now: Timestamp) -> String {
        lastNamed = max(now, Timestamp(microseconds: lastNamed.microseconds + 1))
        let fraction = String(lastNamed.microseconds % 1_000_000)
        return "log-" + lastNamed.text + "." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}
