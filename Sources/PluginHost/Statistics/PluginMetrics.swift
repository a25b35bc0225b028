// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization

/// The metrics that one plugin defined.
final class PluginMetrics: Sendable {
    static let limit = 64

    private let metrics = Mutex<[PluginMetric]>([])

    /// - Returns: The metric, or `invalidArgument`, `alreadyExists`, `exhausted`.
    func define(
        _ kind: PluginMetricSnapshot.Kind, _ name: String, help: String, labels: [String]
    ) -> Result<PluginMetric, PluginError> {
        guard Self.isWord(name, limit: 100) else {
            return .failure(PluginError(.invalidArgument, "a name has lower-case letters, digits and '_'"))
        }
        guard labels.allSatisfy({ Self.isWord($0, limit: 64) && $0 != "plugin" && $0 != "instance" && $0 != "le" }),
            Set(labels).count == labels.count
        else {
            return .failure(
                PluginError(
                    .invalidArgument, "labels are different lower-case words, and not plugin, instance or le"))
        }
        let text = String(help.map { $0.isNewline ? " " : $0 })
        let metric = PluginMetric(kind: kind, name: name, help: text, labels: labels)
        return metrics.withLock { metrics in
            if metrics.contains(where: { $0.name == name }) {
                return .failure(PluginError(.alreadyExists, "the name is taken"))
            }
            guard metrics.count < Self.limit else {
                return .failure(PluginError(.exhausted, "more than \(Self.limit) metrics"))
            }
            metrics.append(metric)
            return .success(metric)
        }
    }

    var snapshot: [PluginMetricSnapshot] { metrics.withLock { $0 }.map(\.snapshot) }

    private static func isWord(_ text: String, limit: Int) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7a).contains(first), text.utf8.count <= limit else { return false }
        return text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }
}

/// One metric and its values by labels.
final class PluginMetric: Sendable {
    static let seriesLimit = 1000

    let kind: PluginMetricSnapshot.Kind
    let name: String
    let help: String
    let labels: [String]

    private struct State {
        var series: [[String]: PluginMetricSnapshot.Series] = [:]
        var dropped = 0
    }

    private let state = Mutex(State())

    init(kind: PluginMetricSnapshot.Kind, name: String, help: String, labels: [String]) {
        self.kind = kind
        self.name = name
        self.help = help
        self.labels = labels
    }

    /// - Parameter values: One for each label. Values that no metric can take are dropped and counted.
    func record(_ value: Double, _ values: [String]) {
        state.withLock { state in
            guard value.isFinite, kind != .counter || value >= 0,
                state.series[values] != nil || state.series.count < Self.seriesLimit
            else {
                state.dropped += 1
                return
            }
            var series = state.series[values] ?? PluginMetricSnapshot.Series(labels: values)
            switch kind {
            case .counter: series.value += value
            case .gauge: series.value = value
            case .histogram:
                series.count += 1
                series.value += value
                if series.buckets.isEmpty {
                    series.buckets = Array(repeating: 0, count: PluginMetricSnapshot.bounds.count)
                }
                if let index = PluginMetricSnapshot.bounds.firstIndex(where: { value <= $0 }) {
                    series.buckets[index] += 1
                }
            }
            state.series[values] = series
        }
    }

    func drop() { state.withLock { $0.dropped += 1 } }

    var snapshot: PluginMetricSnapshot {
        let state = state.withLock { $0 }
        let series = state.series.values.sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
        return PluginMetricSnapshot(
            kind: kind, name: name, help: help, labels: labels, series: series, dropped: state.dropped)
    }
}

/// A metric's values at one moment.
package struct PluginMetricSnapshot: Sendable, Hashable {
    /// `TROVE_METRIC_*`.
    package enum Kind: UInt32, Sendable, Hashable {
        case counter = 1
        case gauge = 2
        case histogram = 3
    }

    package struct Series: Sendable, Hashable {
        /// Values, in the order of the metric's labels.
        package var labels: [String]
        /// Of a histogram: the sum.
        package var value = 0.0
        package var count = 0
        /// Observations by the first bound that they do not pass; those past the last are in `count` alone.
        package var buckets: [Int] = []

        package init(labels: [String]) { self.labels = labels }
    }

    /// From a millisecond to an hour in seconds, and on to a tebibyte in bytes.
    package static let bounds: [Double] = [
        0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600, 3600, 65_536, 1_048_576, 16_777_216, 268_435_456,
        4_294_967_296, 68_719_476_736, 1_099_511_627_776,
    ]

    package var kind: Kind
    package var name: String
    package var help: String
    package var labels: [String]
    package var series: [Series]
    /// Values that were not taken.
    package var dropped: Int
}

extension PluginMetricSnapshot {
    var json: JSONValue {
        .object([
            "kind": .int(Int64(kind.rawValue)), "name": .string(name), "help": .string(help),
            "labels": .array(labels.map(JSONValue.string)), "dropped": .int(Int64(dropped)),
            "series": .array(
                series.map { series in
                    .array([
                        .array(series.labels.map(JSONValue.string)), .double(series.value), .int(Int64(series.count)),
                        .array(series.buckets.map { .int(Int64($0)) }),
                    ])
                }),
        ])
    }

    init?(json: JSONValue) {
        guard let kind = json["kind"]?.intValue.flatMap({ Kind(rawValue: UInt32(clamping: $0)) }),
            let name = json["name"]?.stringValue
        else { return nil }
        self.kind = kind
        self.name = name
        help = json["help"]?.stringValue ?? ""
        labels = (json["labels"]?.arrayValue ?? []).compactMap(\.stringValue)
        dropped = json["dropped"]?.intValue ?? 0
        series = (json["series"]?.arrayValue ?? []).compactMap { item in
            guard let parts = item.arrayValue, parts.count == 4 else { return nil }
            var series = Series(labels: (parts[0].arrayValue ?? []).compactMap(\.stringValue))
            series.value = parts[1].doubleValue ?? 0
            series.count = parts[2].intValue ?? 0
            series.buckets = (parts[3].arrayValue ?? []).map { $0.intValue ?? 0 }
            return series
        }
    }
}
