// SPDX-License-Identifier: Apache-2.0

package import Model

/// Asks for a resource again and again until an operation on it has ended.
package struct Waiter {
    package enum Goal: Sendable {
        case finalStatus
        case gone
    }

    package var rule: StatusRule
    package var goal: Goal
    package var timeout: Duration
    /// For how long a doubtful status may stand.
    package var grace: Duration = .seconds(30)
    /// A sentence that says how to go on after a wait that ended early.
    package var advice: String
    package var now: () -> ContinuousClock.Instant = { .now }

    package init(_ rule: StatusRule, until goal: Goal, timeout: Duration, advice: String) {
        self.rule = rule
        self.goal = goal
        self.timeout = timeout
        self.advice = advice
    }

    /// - Parameters:
    ///   - read: The resource; nil when there is none any more.
    ///   - pause: Sleeps; throws when it is interrupted.
    /// - Returns: The resource in its final status; nil when it is gone.
    /// - Throws: `ClientError`: `.refused` with the fault's message, `.timedOut`, `.interrupted`, or what `read` throws. A
    ///   service that does not answer is asked again until the time is over.
    package func run(
        _ progress: inout Progress, read: () throws -> JSONValue?, pause: (Duration) throws -> Void
    ) throws -> JSONValue? {
        let start = now()
        var (delay, doubtSince) = (Duration.milliseconds(250), ContinuousClock.Instant?.none)
        do {
            while true {
                var status: String?
                do {
                    guard let object = try read() else { return try gone(&progress, start) }
                    status = rule.status(object)
                    switch judge(object) {
                    case .working: doubtSince = nil
                    case .done:
                        progress.end(rule.status(object), start.duration(to: now()))
                        return object
                    case .failed(let reason): throw ClientError(.refused, reason)
                    case .doubtful(let reason):
                        let since = doubtSince ?? now()
                        doubtSince = since
                        if since.duration(to: now()) >= grace { throw ClientError(.refused, reason) }
                    }
                } catch let error as ClientError where error.code == .unavailable {
                    doubtSince = nil
                }
                let elapsed = start.duration(to: now())
                progress.show(status ?? "the service does not answer", elapsed)
                guard elapsed < timeout else {
                    throw ClientError(
                        .timedOut, "not ended within \(timeout.components.seconds) s; the operation goes on: \(advice)")
                }
                try pause(min(delay, max(timeout - elapsed, .milliseconds(1))))
                delay = min(delay * 3 / 2, .seconds(5))
            }
        } catch let error as ClientError {
            progress.breakOff()
            guard error.code == .interrupted else { throw error }
            throw ClientError(.interrupted, "interrupted; the operation goes on: \(advice)")
        }
    }

    private func judge(_ object: JSONValue) -> StatusRule.Verdict {
        guard goal == .gone else { return rule.verdict(object) }
        // Its server may be gone before the instance is: that reads as an error too.
        if case .failed(let reason) = rule.verdict(object) { return .doubtful(reason) }
        return .working
    }

    private func gone(_ progress: inout Progress, _ start: ContinuousClock.Instant) throws -> JSONValue? {
        guard goal == .gone else { throw ClientError(.refused, "it was deleted meanwhile") }
        progress.end("gone", start.duration(to: now()))
        return nil
    }
}
