// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// A `self` that a plugin made, and how to free it.
final class OpenedSelf {
    typealias Open =
        @convention(c) (OpaquePointer?, trove_str, UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> trove_status
    typealias Close = @convention(c) (UnsafeMutableRawPointer?) -> Void

    let name: String
    private let open: Open
    private let close: Close
    private let caller: Caller
    private(set) var value: UnsafeMutableRawPointer?
    private(set) var isOpen = false

    init(_ name: String, _ caller: Caller, open: @escaping Open, close: @escaping Close) {
        self.name = name
        self.caller = caller
        self.open = open
        self.close = close
    }

    /// Opens with any bytes. What an earlier open made stays open.
    func tryOpen(_ config: [UInt8], check: String, limit: Duration = .seconds(5)) throws -> (
        CallOutcome, UnsafeMutableRawPointer?
    ) {
        let place = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: 1)
        place.initialize(to: nil)
        defer { place.deallocate() }
        let open = open
        let outcome = try caller.call(
            "\(name).open", config, check: check, plan: CallPlan(limit: limit, reply: .nothing)
        ) { open($0, $1, place) }
        return (outcome, place.pointee)
    }

    /// Frees a self on the worker.
    func free(_ value: UnsafeMutableRawPointer?) throws {
        let close = close
        let outcome = try caller.call("\(name).close", [], check: "call.deadline") { _, _ in
            close(value)
            return Int32(TROVE_OK)
        }
        _ = outcome
    }

    /// Opens for the calls that follow.
    func begin(_ config: JSONValue) throws {
        let (outcome, value) = try tryOpen(Array(config.serialized), check: "\(name).open")
        guard outcome.isOK else {
            ChildReporter.shared.fail(
                "\(name).open",
                "\(name).open failed for an instance that is all right (\(outcome.text)); open does no I/O but small files."
            )
            return
        }
        self.value = value
        isOpen = true
    }

    func end() throws {
        guard isOpen else { return }
        isOpen = false
        try free(value)
    }

    /// Open and close by themselves, with hostile documents too.
    func scenarios(_ config: JSONValue, leaks: LeakChecks) -> [Scenario] {
        [
            Scenario(check: "\(name).open", target: "\(name).open") {
                for _ in 0..<3 {
                    let (outcome, value) = try self.tryOpen(Array(config.serialized), check: "\(self.name).open")
                    if outcome.isOK { try self.free(value) }
                }
            },
            Scenario(check: "input.malformed", target: "\(name).open", limit: 30) { try self.hostile(config) },
            Scenario(check: "leak.memory", target: "\(name).open") {
                try leaks.measure("\(self.name).open and close") {
                    let (outcome, value) = try self.tryOpen(Array(config.serialized), check: "call.deadline")
                    if outcome.isOK { try self.free(value) }
                }
            },
        ]
    }

    private func hostile(_ config: JSONValue) throws {
        let good = Array(config.serialized)
        let cases: [(String, [UInt8])] = [
            ("an empty document", []), ("what is not JSON", Array("{{{".utf8)),
            ("a document that is cut off", Array(good.dropLast(3))),
            ("an empty object", Array("{}".utf8)), ("nested lists", [UInt8](repeating: 0x5B, count: 100_000)),
            ("no data_dir", Array(config.without("data_dir").serialized)),
            ("a number as data_dir", Array(config.replacing(["data_dir"], with: 7).serialized)),
        ]
        for (what, bytes) in cases {
            let (outcome, value) = try tryOpen(bytes, check: "input.malformed", limit: .seconds(1))
            guard outcome.isOK else { continue }
            ChildReporter.shared.fail(
                "input.malformed", "\(name).open returned TROVE_OK for \(what); refuse it with TROVE_INVALID_ARGUMENT.")
            try free(value)
        }
    }
}

extension JSONValue {
    func without(_ key: String) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[key] = nil
        return .object(members)
    }
}
