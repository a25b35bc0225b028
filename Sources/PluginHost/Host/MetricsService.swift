// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Logging
import Model
import Synchronization

/// `trove.metrics/1`.
enum MetricsService {
    static var table: trove_metrics_1 {
        trove_metrics_1(
            size: UInt32(MemoryLayout<trove_metrics_1>.size), flags: 0,
            define: { MetricsService.define($0, $1, $2, $3, $4, $5) },
            record: { metric, value, values, count in
                PluginMetricHandles.shared.find(metric)?.record(value, values, count)
            }
        )
    }

    private static func define(
        _ host: UnsafePointer<trove_host_1>?, _ kind: UInt32, _ name: trove_str, _ help: trove_str,
        _ labels: UnsafePointer<trove_str>?, _ count: UInt32
    ) -> OpaquePointer? {
        guard let context = HostContexts.shared.find(host) else { return nil }
        let text = Borrowed.text(name, limit: 256)
        func refuse(_ reason: String) -> OpaquePointer? {
            context.misbehaved("plugin metric is refused", ["metric": "\(text)", "error": "\(reason)"])
            return nil
        }
        guard ThreadRole.current == .loader else { return refuse("metrics are defined in init only") }
        guard count <= TROVE_METRIC_LABELS_MAX, count == 0 || labels != nil else {
            return refuse("at most \(TROVE_METRIC_LABELS_MAX) labels")
        }
        let names = (0..<Int(count)).map { index in labels.map { Borrowed.text($0[index], limit: 256) } ?? "" }
        guard let kind = PluginMetricSnapshot.Kind(rawValue: kind) else { return refuse("unknown kind") }
        switch context.metrics.define(kind, text, help: Borrowed.text(help, limit: 1024), labels: names) {
        case .success(let metric): return PluginMetricHandles.shared.add(metric)
        case .failure(let error): return refuse(error.message)
        }
    }
}

/// Finds a metric by what the plugin was given: a number, never an address.
private final class PluginMetricHandles: Sendable {
    static let shared = PluginMetricHandles()

    private let metrics = Mutex<[PluginMetric]>([])

    func add(_ metric: PluginMetric) -> OpaquePointer? {
        metrics.withLock { metrics in
            metrics.append(metric)
            return OpaquePointer(bitPattern: metrics.count)
        }
    }

    /// nil for NULL, and for a number that was never given out.
    func find(_ handle: OpaquePointer?) -> PluginMetric? {
        let index = Int(bitPattern: handle) - 1
        return metrics.withLock { $0.indices.contains(index) ? $0[index] : nil }
    }
}

extension PluginMetric {
    fileprivate func record(_ value: Double, _ values: UnsafePointer<trove_str>?, _ count: UInt32) {
        guard Int(count) == labels.count, count == 0 || values != nil else { return drop() }
        record(value, (0..<Int(count)).map { index in values.map { Borrowed.text($0[index], limit: 128) } ?? "" })
    }
}
