// SPDX-License-Identifier: Apache-2.0

import PluginHost
import Telemetry

/// What plugins did and what they measure, as a scrape shows it.
///
/// - `trove_plugin_calls_total` {`plugin`, `version`, `function`, `outcome`}: `outcome` is `ok` or an error code
/// - `trove_plugin_call_seconds` {`plugin`, `version`, `function`}
/// - `trove_plugin_calls_in_flight`, `trove_plugin_calls_stuck`, `trove_plugin_quarantined` {`plugin`, `version`}
/// - `trove_plugin_refusals` {`cause`}
/// - `trove_plugin_metric_values_dropped_total` {`plugin`, `version`}
/// - `trove_plugin_<name>` {`plugin`, `version`, …}: the plugin's own
enum PluginFamilies {
    static func make(
        _ statistics: [PluginStatistics], _ plugins: [PluginDescription], _ refusals: [PluginRefusal]
    ) -> [MetricFamily] {
        var calls = MetricFamily("trove_plugin_calls_total", .counter, help: "Calls of plugins that ended.")
        var seconds = MetricFamily("trove_plugin_call_seconds", .histogram, help: "How long calls of plugins took.")
        var inFlight = MetricFamily("trove_plugin_calls_in_flight", .gauge, help: "Calls that run in plugins now.")
        var stuck = MetricFamily(
            "trove_plugin_calls_stuck", .gauge, help: "Calls that do not end although they were asked to.")
        var dropped = MetricFamily(
            "trove_plugin_metric_values_dropped_total", .counter,
            help: "Values of plugins' metrics that were not taken.")
        var quarantined = MetricFamily(
            "trove_plugin_quarantined", .gauge, help: "1: not called until an operator lifts it.")
        var own: [MetricFamily] = []
        for plugin in statistics {
            let labels = [(name: "plugin", value: plugin.pluginID), (name: "version", value: plugin.version)]
            for (name, function) in plugin.functions.sorted(by: { $0.key < $1.key }) {
                let named = labels + [(name: "function", value: name)]
                calls.samples.append(
                    .init(named + [("outcome", "ok")], .number(Double(function.calls - function.failed))))
                for (code, count) in function.errors.sorted(by: { $0.key < $1.key }) {
                    calls.samples.append(.init(named + [("outcome", code)], .number(Double(count))))
                }
                seconds.samples.append(
                    .init(
                        named,
                        .histogram(
                            bounds: PluginStatistics.Function.bounds, buckets: function.buckets,
                            count: function.calls, sum: function.secondsTotal)))
            }
            inFlight.samples.append(.init(labels, .number(Double(plugin.total.inFlight))))
            stuck.samples.append(.init(labels, .number(Double(plugin.stuck))))
            let lost = plugin.metrics.reduce(0) { $0 + $1.dropped }
            dropped.samples.append(.init(labels, .number(Double(lost))))
            own += plugin.metrics.map { family($0, labels) }
        }
        for plugin in plugins {
            quarantined.samples.append(
                .init(
                    [("plugin", plugin.id), ("version", plugin.version)],
                    .number(plugin.quarantine == nil ? 0 : 1)))
        }
        var refused = MetricFamily("trove_plugin_refusals", .gauge, help: "Plugins that are not used, by cause.")
        for cause in PluginRefusal.Cause.allCases {
            let count = refusals.count { $0.cause == cause }
            refused.samples.append(.init([("cause", cause.rawValue)], .number(Double(count))))
        }
        return [calls, seconds, inFlight, stuck, dropped, quarantined, refused] + own
    }

    private static func family(
        _ metric: PluginMetricSnapshot, _ labels: [(name: String, value: String)]
    ) -> MetricFamily {
        let kind: MetricFamily.Kind =
            switch metric.kind {
            case .counter: .counter
            case .gauge: .gauge
            case .histogram: .histogram
            }
        let samples = metric.series.map { series in
            MetricFamily.Sample(
                labels + zip(metric.labels, series.labels).map { (name: $0, value: $1) },
                kind == .histogram
                    ? .histogram(
                        bounds: PluginMetricSnapshot.bounds, buckets: series.buckets, count: series.count,
                        sum: series.value)
                    : .number(series.value))
        }
        return MetricFamily("trove_plugin_" + metric.name, kind, help: metric.help, samples: samples)
    }
}
