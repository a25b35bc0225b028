// SPDX-License-Identifier: Apache-2.0

/// Reply queues that nobody reads any more; replies to them are not tried for a while.
struct GoneQueues {
    private static let capacity = 200
    private static let memory = Duration.seconds(60)
    private var until: [String: ContinuousClock.Instant] = [:]

    func contains(_ name: String, _ now: ContinuousClock.Instant) -> Bool {
        until[name].map { $0 > now } ?? false
    }

    mutating func insert(_ name: String, _ now: ContinuousClock.Instant) {
        until = until.filter { $0.value > now }
        if until.count >= Self.capacity, let oldest = until.min(by: { $0.value < $1.value }) {
            until[oldest.key] = nil
        }
        until[name] = now + Self.memory
    }
}
