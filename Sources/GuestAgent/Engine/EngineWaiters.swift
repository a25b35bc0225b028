// SPDX-License-Identifier: Apache-2.0

/// Callers that wait for a state of the engine. Owned by the supervisor.
struct EngineWaiters {
    /// What a caller waits for.
    enum Goal: Sendable {
        case running
        case stopped
    }

    typealias Continuation = CheckedContinuation<Result<Void, GuestAgentError>, Never>

    private var waiting: [Int: (goal: Goal, continuation: Continuation)] = [:]
    private var next = 0

    /// What a state means for a goal; nil: go on waiting.
    static func judge(
        _ goal: Goal, _ snapshot: EngineSnapshot
    ) -> Result<Void, GuestAgentError>? {
        switch (goal, snapshot.state) {
        case (.running, .running), (.stopped, .stopped): .success(())
        case (.running, .crashed):
            .failure(GuestAgentError(.engineFailed, "the engine did not start: \(snapshot.reason)"))
        case (.running, .stopped), (.running, .stopping(.stay)):
            .failure(GuestAgentError(.busy, "the engine is being stopped"))
        case (.running, _), (.stopped, .stopping(.stay)): nil
        case (.stopped, _): .failure(GuestAgentError(.busy, "the engine is being started again"))
        }
    }

    mutating func add(_ goal: Goal, _ continuation: Continuation) -> Int {
        next += 1
        waiting[next] = (goal, continuation)
        return next
    }

    mutating func settle(_ snapshot: EngineSnapshot) {
        for (id, waiter) in waiting {
            guard let result = Self.judge(waiter.goal, snapshot) else { continue }
            waiting[id] = nil
            waiter.continuation.resume(returning: result)
        }
    }

    mutating func fail(_ id: Int, _ error: GuestAgentError) {
        waiting.removeValue(forKey: id)?.continuation.resume(returning: .failure(error))
    }

    mutating func failAll(_ error: GuestAgentError) {
        for id in Array(waiting.keys) { fail(id, error) }
    }
}
