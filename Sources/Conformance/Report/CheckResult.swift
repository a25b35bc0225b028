// SPDX-License-Identifier: Apache-2.0

import Model

/// How one check of a plugin ended.
package struct CheckResult: Sendable, Hashable {
    package enum Outcome: String, Sendable {
        case passed
        case failed
        /// The plugin does not provide what the check is about, or the check needs an engine; the message says which.
        case skipped
    }

    /// Stable name, e.g. `symbols.exports`.
    package var name: String
    package var outcome: Outcome
    /// What is wrong and what to do, one sentence a finding; why it was skipped; empty when passed.
    package var message: String
    package var seconds: Double

    package init(name: String, outcome: Outcome, message: String = "", seconds: Double = 0) {
        self.name = name
        self.outcome = outcome
        self.message = message
        self.seconds = seconds
    }

    var json: JSONValue {
        [
            "name": .string(name), "outcome": .string(outcome.rawValue), "message": .string(message),
            "seconds": .double((seconds * 1000).rounded() / 1000),
        ]
    }
}

/// Collects what groups say about checks: a finding outweighs a pass, a pass outweighs a skip.
struct CheckLedger: Sendable {
    private struct Entry {
        var outcome: CheckResult.Outcome
        var messages: [String] = []
        var findings = 0
        var seconds = 0.0
    }

    private var entries: [String: Entry] = [:]
    private static let shownFindings = 3

    mutating func add(_ name: String, _ outcome: CheckResult.Outcome, _ message: String = "") {
        var entry = entries[name] ?? Entry(outcome: outcome)
        defer { entries[name] = entry }
        switch outcome {
        case .failed:
            if entry.outcome != .failed { entry.messages = [] }
            entry.outcome = .failed
            guard !entry.messages.contains(message) else { return }
            entry.findings += 1
            if entry.messages.count < Self.shownFindings { entry.messages.append(message) }
        case .passed:
            guard entry.outcome == .skipped else { return }
            entry.outcome = .passed
            entry.messages = []
        case .skipped:
            if entry.outcome == .skipped, entry.messages.isEmpty { entry.messages = [message] }
        }
    }

    mutating func spend(_ name: String, seconds: Double) { entries[name]?.seconds += seconds }

    /// In alphabetical order, which keeps groups together.
    var results: [CheckResult] {
        entries.sorted { $0.key < $1.key }.map { name, entry in
            var message = entry.messages.joined(separator: " ")
            if entry.findings > entry.messages.count {
                message += " (and \(entry.findings - entry.messages.count) more)"
            }
            return CheckResult(name: name, outcome: entry.outcome, message: message, seconds: entry.seconds)
        }
    }
}
