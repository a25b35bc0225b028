// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// One metric of the plugin, shown as `trove_plugin_<name>{plugin="<id>",…}`. `trove.metrics/1`.
public struct Metric: @unchecked Sendable {
    // Unchecked: a handle of the host's, which every thread may use; nil if the host refused it or has no metrics.
    private let handle: OpaquePointer?

    init(_ handle: OpaquePointer?) { self.handle = handle }

    /// Adds to a counter, sets a gauge, or observes seconds or bytes in a histogram.
    ///
    /// - Parameter labels: One value for each label, in order.
    public func record(_ value: Double, _ labels: [String] = []) {
        guard let handle, let record = Runtime.metrics?.pointee.record else { return }
        Metrics.lend(labels) { record(handle, value, $0, UInt32(labels.count)) }
    }
}

/// Makes metrics. Only in `Plugin.start()`: the host takes no others.
public struct Metrics: Sendable {
    /// Something that only grows.
    ///
    /// - Parameters:
    ///   - name: Lower-case words and `_`.
    ///   - help: One line.
    ///   - labels: Names, at most four.
    public func counter(_ name: String, _ help: String, labels: [String] = []) -> Metric {
        define(UInt32(TROVE_METRIC_COUNTER), name, help, labels)
    }

    /// Something that goes up and down.
    public func gauge(_ name: String, _ help: String, labels: [String] = []) -> Metric {
        define(UInt32(TROVE_METRIC_GAUGE), name, help, labels)
    }

    /// How seconds or bytes are spread.
    public func histogram(_ name: String, _ help: String, labels: [String] = []) -> Metric {
        define(UInt32(TROVE_METRIC_HISTOGRAM), name, help, labels)
    }

    private func define(_ kind: UInt32, _ name: String, _ help: String, _ labels: [String]) -> Metric {
        guard let host = Runtime.host, let define = Runtime.metrics?.pointee.define else { return Metric(nil) }
        return name.withTroveString { name in
            help.withTroveString { help in
                Self.lend(labels) { Metric(define(host, kind, name, help, $0, UInt32(labels.count))) }
            }
        }
    }

    /// Lends texts as a C array.
    static func lend<Result>(_ texts: [String], _ body: (UnsafePointer<trove_str>?) -> Result) -> Result {
        func lend(_ index: Int, _ lent: [trove_str]) -> Result {
            guard index < texts.count else { return lent.withUnsafeBufferPointer { body($0.baseAddress) } }
            return texts[index].withTroveString { lend(index + 1, lent + [$0]) }
        }
        return lend(0, [])
    }
}

extension Host {
    /// What the plugin measures itself.
    public static let metrics = Metrics()
}
