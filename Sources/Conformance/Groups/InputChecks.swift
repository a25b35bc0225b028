// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// Requests that no caller should send, for every function alike: they must be refused with a declared status and a
/// sentence, and must never end the process, hang or succeed with a broken document.
struct InputChecks {
    let caller: Caller
    /// What has been written where it does not belong.
    let strays: () -> [String]

    /// Short, so that a function that waits for an engine does not make the check long.
    private static let limit = Duration.milliseconds(250)

    func scenarios(_ targets: [Target]) -> [Scenario] {
        targets.flatMap { target in
            [
                Scenario(check: "input.malformed", target: target.name, limit: 40) { try self.malformed(target) },
                Scenario(check: "input.deep-json", target: target.name, limit: 20) { try self.deep(target) },
                Scenario(check: "input.types", target: target.name, limit: 90) { try self.types(target) },
                Scenario(check: "input.hostile-names", target: target.name, limit: 120) { try self.names(target) },
                Scenario(check: "input.large", target: target.name, limit: 60) { try self.large(target) },
            ]
        }
    }

    private func send(_ target: Target, _ bytes: [UInt8], _ check: String) throws -> CallOutcome {
        try target.call(caller, bytes: bytes, check: check, plan: target.plan(limit: Self.limit))
    }

    private func refuse(_ target: Target, _ outcome: CallOutcome, _ check: String, _ what: String) {
        guard outcome.isOK, target.isStrict else { return }
        ChildReporter.shared.fail(
            check, "\(target.name) returned TROVE_OK for \(what); refuse it with TROVE_INVALID_ARGUMENT.")
    }

    private func malformed(_ target: Target) throws {
        let good = Array(target.sample.serialized)
        let cases: [(String, [UInt8])] = [
            ("an empty request", []), ("a request that is not JSON", Array("not json".utf8)),
            ("a request that is cut off", Array(good.dropLast())), ("two documents", good + good),
            ("a list", Array("[]".utf8)), ("a number", Array("1e999".utf8)), ("null", Array("null".utf8)),
            ("bytes that are not UTF-8", Array("{\"name\":\"".utf8) + [0xFF, 0xC0, 0x80] + Array("\"}".utf8)),
            ("zero bytes", [0, 0, 0, 0]),
            ("duplicate keys", duplicated(target.sample)),
        ]
        for (what, bytes) in cases {
            let outcome = try send(target, bytes, "input.malformed")
            if what != "duplicate keys" { refuse(target, outcome, "input.malformed", what) }
        }
    }

    /// The sample with its first member twice.
    private func duplicated(_ sample: JSONValue) -> [UInt8] {
        guard let member = sample.objectValue?.sorted(by: { $0.key < $1.key }).first else {
            return Array(#"{"a":1,"a":2}"#.utf8)
        }
        let pair = Array(JSONValue.object([member.key: member.value]).serialized.dropFirst().dropLast())
        return Array(sample.serialized.dropLast()) + [0x2C] + pair + [0x7D]
    }

    private func deep(_ target: Target) throws {
        let key = target.needs.first ?? "values"
        for depth in [200, 100_000] {
            let lists = Array("{\"\(key)\":".utf8) + [UInt8](repeating: 0x5B, count: depth)
            let outcome = try send(target, lists + [UInt8](repeating: 0x5D, count: depth) + [0x7D], "input.deep-json")
            refuse(target, outcome, "input.deep-json", "\(depth) nested lists")
            _ = try send(target, lists, "input.deep-json")
        }
    }

    private func types(_ target: Target) throws {
        guard let members = target.sample.objectValue else { return }
        let wrong: [JSONValue] = [
            .null, true, 7, -1, 1.5, .int(Int64.max), "", "text", [], [1], [[:]], [:], ["a": 1], [.null],
        ]
        for key in members.keys.sorted() {
            var without = members
            without[key] = nil
            let outcome = try send(target, Array(JSONValue.object(without).serialized), "input.types")
            if target.needs.contains(key) { refuse(target, outcome, "input.types", "a request without \(key)") }
            for value in wrong where value != members[key] {
                var changed = members
                changed[key] = value
                let outcome = try send(target, Array(JSONValue.object(changed).serialized), "input.types")
                if target.needs.contains(key), !value.isLike(members[key] ?? .null) {
                    refuse(target, outcome, "input.types", "\(value.serializedText) as \(key)")
                }
            }
        }
    }

    static let hostile: [String] = [
        "", " ", "'", "\"", "`", "\\", "a'b\"c`d\\e", "x'; DROP DATABASE x; --", "\u{0}", "a\u{0}b",
        "../../../etc/passwd",
        "..", "a/b", "%", "%s%n%x", "$(reboot)", "`reboot`", "a\nb", "\r\n\t", "\u{1B}[31m", "\u{7F}", "ü", "名前",
        "😀", "\u{202E}abc", "e\u{301}", "\u{FEFF}", "-", "--help", "*", "~", "@", "a@b", "a b", "0", "null",
        String(repeating: "a", count: 65), String(repeating: "ü", count: 300),
    ]

    private func names(_ target: Target) throws {
        let before = Set(strays())
        for path in target.sample.stringPaths {
            for text in Self.hostile {
                let request = target.sample.replacing(path[...], with: .string(text))
                _ = try send(target, Array(request.serialized), "input.hostile-names")
            }
        }
        let outside = Set(strays()).subtracting(before).sorted()
        guard let first = outside.first else { return }
        ChildReporter.shared.fail(
            "input.hostile-names",
            "\(target.name) wrote \(first) outside of the instance's directories; check names before they become paths."
        )
    }

    private func large(_ target: Target) throws {
        for path in target.sample.stringPaths {
            let request = Array(target.sample.replacing(path[...], with: .string(Self.marker)).serialized)
            for byte in [UInt8(ascii: "a"), UInt8(ascii: "'")] {
                let plan = target.plan(limit: .seconds(2))
                let large = Self.splice(request, [UInt8](repeating: byte, count: 1 << 20))
                _ = try target.call(caller, bytes: large, check: "input.large", plan: plan)
            }
        }
        let sample = Array(target.sample.serialized.dropLast())
        let comma: [UInt8] = sample.count > 1 ? [0x2C] : []
        _ = try send(target, sample + comma + Self.unknownMembers, "input.large")
    }

    private static let marker = "@here@"

    /// Puts bytes in the place of the marker.
    private static func splice(_ request: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        guard let place = request.firstRange(of: Array(marker.utf8)) else { return request }
        return request[..<place.lowerBound] + bytes + request[place.upperBound...]
    }

    /// Members that nobody knows, and the end of the object.
    private static let unknownMembers = Array(
        ((0..<20_000).map { "\"unknown_\($0)\":\($0)" }.joined(separator: ",") + "}").utf8)
}

extension JSONValue {
    /// Where texts are: keys of objects, and indices of lists as digits.
    var stringPaths: [[String]] {
        switch self {
        case .string: [[]]
        case .object(let members):
            members.sorted { $0.key < $1.key }.flatMap { key, value in value.stringPaths.map { [key] + $0 } }
        case .array(let items):
            items.enumerated().flatMap { index, value in value.stringPaths.map { [String(index)] + $0 } }
        default: []
        }
    }

    func replacing(_ path: ArraySlice<String>, with value: JSONValue) -> JSONValue {
        guard let first = path.first else { return value }
        switch self {
        case .object(var members):
            members[first] = members[first]?.replacing(path.dropFirst(), with: value)
            return .object(members)
        case .array(var items):
            guard let index = Int(first), items.indices.contains(index) else { return self }
            items[index] = items[index].replacing(path.dropFirst(), with: value)
            return .array(items)
        default: return self
        }
    }

    /// Whether both are of one JSON type.
    func isLike(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.null, .null), (.bool, .bool), (.string, .string), (.array, .array), (.object, .object), (.int, .int),
            (.int, .double), (.double, .int), (.double, .double):
            true
        default: false
        }
    }

    var serializedText: String { String(decoding: serialized, as: UTF8.self) }
}
