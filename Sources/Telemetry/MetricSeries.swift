// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Synchronization

/// The values of one name and one set of labels.
final class MetricSeries: Sendable {
    /// Upper bounds of histograms' buckets: seconds of timers.
    static let bounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    private struct State {
        var value = 0.0
        var count = 0
        var buckets = Array(repeating: 0, count: bounds.count)
    }

    let kind: MetricFamily.Kind
    private let labels: [(name: String, value: String)]
    private let state: Mutex<State>

    init(_ kind: MetricFamily.Kind, _ labels: [(name: String, value: String)]) {
        self.kind = kind
        self.labels = labels
        state = Mutex(State())
    }

    var sample: MetricFamily.Sample {
        let state = state.withLock { $0 }
        guard kind == .histogram else { return MetricFamily.Sample(labels, .number(state.value)) }
        return MetricFamily.Sample(
            labels,
            .histogram(bounds: Self.bounds, buckets: state.buckets, count: state.count, sum: state.value))
    }

    private func observe(_ value: Double) {
        guard kind == .histogram else { return state.withLock { $0.value = value } }
        let index = Self.bounds.firstIndex { value <= $0 }
        state.withLock { state in
            state.value += value
            state.count += 1
            if let index { state.buckets[index] += 1 }
        }
    }
}

extension MetricSeries: CounterHandler, FloatingPointCounterHandler {
    func increment(by amount: Int64) { increment(by: Double(amount)) }

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        state.withLock { $0.value += amount }
    }

    func reset() { state.withLock { $0 = State() } }
}

extension MetricSeries: RecorderHandler {
    func record(_ value: Int64) { observe(Double(value)) }
    func record(_ value: Double) { observe(value) }
}

extension MetricSeries: TimerHandler {
    func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }
}

extension MetricSeries: MeterHandler {
    func set(_ value: Int64) { state.withLock { $0.value = Double(value) } }
    func set(_ value: Double) { state.withLock { $0.value = value } }
    func decrement(by amount: Double) { state.withLock { $0.value -= amount } }
}
