// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// Cancellation and deadlines of every function alike.
struct CallChecks {
    let caller: Caller

    func scenarios(_ targets: [Target]) -> [Scenario] {
        targets.flatMap { target in
            [
                Scenario(check: "call.cancel", target: target.name, limit: 20) { try self.cancel(target) },
                Scenario(check: "call.deadline", target: target.name, limit: 20) { try self.deadline(target) },
            ]
        }
    }

    private func cancel(_ target: Target) throws {
        let request = Array(target.sample.serialized)
        var before = target.plan()
        before.isCancelledBefore = true
        _ = try target.call(caller, bytes: request, check: "call.cancel", plan: before)
        var middle = target.plan()
        middle.cancelAfter = .milliseconds(30)
        _ = try target.call(caller, bytes: request, check: "call.cancel", plan: middle)
    }

    private func deadline(_ target: Target) throws {
        for limit in [Duration.zero, .milliseconds(100)] {
            _ = try target.call(caller, bytes: Array(target.sample.serialized), plan: target.plan(limit: limit))
        }
    }
}

/// What a function leaves behind when it is called again and again.
struct LeakChecks {
    let caller: Caller
    let repeats: Int

    /// For one function; a slow one is called less often.
    private static let budget = Duration.milliseconds(700)

    func scenario(_ targets: [Target], prefix: String, around: @escaping () throws -> Void = {}) -> Scenario {
        Scenario(check: "leak.memory", target: prefix, limit: 20 + targets.count * 4) {
            for target in targets { try self.check(target) }
            try around()
            for check in ["leak.descriptors", "leak.threads"] { ChildReporter.shared.pass(check) }
        }
    }

    private struct Level {
        var heap: Int
        var descriptors: Int
        var threads: Int

        static var current: Level {
            Level(
                heap: ProcessState.heapBytes, descriptors: FileTree.names("/proc/self/fd").count,
                threads: FileTree.names("/proc/self/task").count)
        }
    }

    private func check(_ target: Target) throws {
        let good = Array(target.sample.serialized)
        try measure(target.name) {
            _ = try target.call(self.caller, bytes: good, plan: target.plan(limit: .milliseconds(100)))
            _ = try target.call(self.caller, bytes: [0x7B], plan: target.plan(limit: .milliseconds(100)))
        }
    }

    /// Calls `body` up to `repeats` times and compares what is left after a third and at the end.
    func measure(_ name: String, _ body: () throws -> Void) throws {
        let begun = ContinuousClock.now
        var count = 0
        func run(_ limit: Int, _ time: Duration) throws {
            while count < limit, ContinuousClock.now - begun < time || count < 6 {
                try body()
                count += 1
            }
        }
        try run(max(repeats / 3, 3), Self.budget / 3)
        let (first, start) = (Level.current, count)
        try run(repeats, Self.budget)
        let last = Level.current
        let calls = count - start
        guard calls > 2 else { return }
        let reporter = ChildReporter.shared
        if last.descriptors - first.descriptors >= max(calls / 2, 2) {
            reporter.fail(
                "leak.descriptors",
                "\(name) leaves descriptors open: \(last.descriptors - first.descriptors) after \(calls) calls.")
        }
        if last.threads - first.threads >= max(calls / 2, 2) {
            reporter.fail(
                "leak.threads", "\(name) leaves threads running: \(last.threads - first.threads) after \(calls) calls.")
        }
        let growth = last.heap - first.heap
        if calls >= 20, growth > max(16 << 10, calls * 24) {
            reporter.fail(
                "leak.memory", "\(name) keeps memory: \(growth) bytes after \(calls) calls, \(growth / calls) each.")
        }
    }
}
