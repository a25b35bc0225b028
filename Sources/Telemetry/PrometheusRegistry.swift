// SPDX-License-Identifier: Apache-2.0

package import CoreMetrics
import Synchronization

/// Keeps what this process measures through swift-metrics, for scrapes.
///
/// Timers and recorders that aggregate are histograms, timers in seconds. At most `seriesLimit` sets of labels a name are
/// told apart; the rest is one set whose labels are all `other`.
package final class PrometheusRegistry: MetricsFactory {
    package static let seriesLimit = 1000

    private struct Key: Hashable {
        let name: String
        let labels: [String]
    }

    private struct State {
        var series: [Key: MetricSeries] = [:]
        var counts: [String: Int] = [:]
        var kinds: [String: MetricFamily.Kind] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Everything measured so far.
    package var families: [MetricFamily] {
        let (series, kinds) = state.withLock { (Array($0.series), $0.kinds) }
        var families: [String: MetricFamily] = [:]
        for (key, one) in series.sorted(by: { $0.key.labels.lexicographicallyPrecedes($1.key.labels) }) {
            families[key.name, default: MetricFamily(key.name, kinds[key.name] ?? one.kind)].samples.append(one.sample)
        }
        return Array(families.values)
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions, .counter)
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler { find(label, dimensions, .counter) }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler { find(label, dimensions, aggregate ? .histogram : .gauge) }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions, .gauge)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions, .histogram)
    }

    // What was measured stays: a scrape must not see a counter go away because its last user did.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private func find(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind
    ) -> MetricSeries {
        let name = MetricFamily.name(label)
        let labels = dimensions.map { (name: MetricFamily.label($0.0), value: $0.1) }
        return state.withLock { state in
            let known = state.kinds[name] ?? kind
            // One name, one kind: what comes as another is measured, and not shown.
            guard known == kind else { return MetricSeries(kind, labels) }
            state.kinds[name] = kind
            let key = Key(name: name, labels: labels.flatMap { [$0.name, $0.value] })
            if let series = state.series[key] { return series }
            guard state.counts[name, default: 0] < Self.seriesLimit else {
                let rest = labels.map { (name: $0.name, value: "other") }
                let restKey = Key(name: name, labels: rest.flatMap { [$0.name, $0.value] })
                return state.series[restKey] ?? add(MetricSeries(kind, rest), restKey, &state)
            }
            state.counts[name, default: 0] += 1
            return add(MetricSeries(kind, labels), key, &state)
        }
    }

    private func add(_ series: MetricSeries, _ key: Key, _ state: inout State) -> MetricSeries {
        state.series[key] = series
        return series
    }
}
