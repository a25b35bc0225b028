// SPDX-License-Identifier: Apache-2.0

package import Model

/// What the kit found out about one plugin, bound to its library by digest.
///
/// Shape: `{"format": 1, "plugin": {"id", "version", "sha256"}, "host": text, "started": time, "seconds", "engine": bool,
/// "passed": bool, "checks": [{"name", "outcome", "message", "seconds"}], "capabilities": {verb: bool}}`.
package struct ConformanceReport: Sendable {
    package var id: String
    package var version: String
    /// Of the library that was checked, as it was on disk.
    package var sha256: String
    package var host: String
    package var started: Timestamp
    package var seconds: Double
    /// Whether a real engine was run.
    package var engine: Bool
    package var checks: [CheckResult]
    /// Verbs of the plugin's tables, e.g. `datastore.create_users`, and whether it has them.
    package var capabilities: [String: Bool]

    package var findings: [CheckResult] { checks.filter { $0.outcome == .failed } }
    package var passed: Bool { findings.isEmpty }

    package var json: JSONValue {
        [
            "format": 1,
            "plugin": ["id": .string(id), "version": .string(version), "sha256": .string(sha256)],
            "host": .string(host), "started": .string(started.description),
            "seconds": .double((seconds * 1000).rounded() / 1000),
            "engine": .bool(engine), "passed": .bool(passed), "checks": .array(checks.map(\.json)),
            "capabilities": .object(capabilities.mapValues { .bool($0) }),
        ]
    }

    /// A table for people: checks below their group, and a line at the end.
    package var table: String {
        var text = "\(id) \(version)  sha256 \(sha256.prefix(12))\n"
        var group = ""
        for check in checks {
            let parts = check.name.split(separator: ".", maxSplits: 1)
            if String(parts[0]) != group {
                group = String(parts[0])
                text += "\n\(group)\n"
            }
            let mark = check.outcome == .passed ? "✓" : check.outcome == .failed ? "✗" : "–"
            text += "  \(mark) \(parts.count > 1 ? String(parts[1]) : check.name)"
            text += check.message.isEmpty ? "\n" : ": \(check.message)\n"
        }
        let skipped = checks.count { $0.outcome == .skipped }
        text += "\n\(checks.count - skipped) checks, \(findings.count) findings, \(skipped) skipped"
        return text + ", \((seconds * 10).rounded() / 10) s: \(passed ? "passed" : "FAILED")\n"
    }
}
