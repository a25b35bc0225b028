// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import Synchronization

/// Writes what a child finds to its parent, at once: the plugin may end the process at any time.
///
/// Shape: lines of JSON on descriptor 3: `{"begin": index, "check", "target", "limit_s"}`, `{"end": index}`,
/// `{"check", "outcome", "message"}`, `{"capability", "value"}`, `{"done": true}`.
final class ChildReporter: Sendable {
    static let shared = ChildReporter()
    static let descriptor: Int32 = 3

    private struct State {
        var counts: [String: Int] = [:]
        var said: Set<String> = []
    }

    private let state = Mutex(State())
    private static let mostPerCheck = 8

    /// Records a finding. What was said before is not said again.
    func fail(_ check: String, _ message: String) {
        let isNew = state.withLock { state in
            let count = state.counts[check, default: 0]
            guard count < Self.mostPerCheck, state.said.insert(check + message).inserted else { return false }
            state.counts[check] = count + 1
            return true
        }
        guard isNew else { return }
        send(["check": .string(check), "outcome": "failed", "message": .string(message)])
    }

    func pass(_ check: String) { send(["check": .string(check), "outcome": "passed", "message": ""]) }

    func skip(_ check: String, _ reason: String) {
        send(["check": .string(check), "outcome": "skipped", "message": .string(reason)])
    }

    func capability(_ verb: String, _ value: Bool) { send(["capability": .string(verb), "value": .bool(value)]) }

    func send(_ line: JSONValue) {
        var bytes = Array(line.serialized)
        bytes.append(10)
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(Self.descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            offset += count
        }
    }
}
