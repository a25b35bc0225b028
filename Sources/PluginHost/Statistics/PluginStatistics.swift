// SPDX-License-Identifier: Apache-2.0

import Model

/// What one version of a plugin did since its process began.
package struct PluginStatistics: Sendable, Hashable {
    /// One function, e.g. `datastore.prepare` or `policy.requirements`.
    package struct Function: Sendable, Hashable {
        /// Upper bounds of the buckets, in seconds.
        package static let bounds: [Double] = [0.0001, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60]

        /// Calls that have ended.
        package var calls = 0
        /// Of these, those that failed, by code.
        package var errors: [String: Int] = [:]
        package var inFlight = 0
        package var secondsTotal = 0.0
        package var secondsMost = 0.0
        /// Calls by the first bound that they do not pass; those past the last are in `calls` alone.
        package var buckets = Array(repeating: 0, count: bounds.count)

        package init() {}

        package var failed: Int { errors.values.reduce(0, +) }

        mutating func add(seconds: Double, code: String?) {
            calls += 1
            if let code { errors[code, default: 0] += 1 }
            secondsTotal += seconds
            secondsMost = max(secondsMost, seconds)
            if let index = Self.bounds.firstIndex(where: { seconds <= $0 }) { buckets[index] += 1 }
        }
    }

    package var pluginID: String
    package var version: String
    package var functions: [String: Function]
    /// Calls that do not end although they were asked to.
    package var stuck: Int
    /// What the plugin measures itself.
    package var metrics: [PluginMetricSnapshot]

    package init(
        pluginID: String, version: String, functions: [String: Function] = [:], stuck: Int = 0,
        metrics: [PluginMetricSnapshot] = []
    ) {
        self.pluginID = pluginID
        self.version = version
        self.functions = functions
        self.stuck = stuck
        self.metrics = metrics
    }

    /// Of all functions together.
    package var total: Function {
        functions.values.reduce(into: Function()) { total, one in
            total.calls += one.calls
            total.errors.merge(one.errors, uniquingKeysWith: +)
            total.inFlight += one.inFlight
            total.secondsTotal += one.secondsTotal
            total.secondsMost = max(total.secondsMost, one.secondsMost)
            for index in total.buckets.indices { total.buckets[index] += one.buckets[index] }
        }
    }
}

extension PluginStatistics {
    var json: JSONValue {
        .object([
            "plugin": .string(pluginID), "version": .string(version), "stuck": .int(Int64(stuck)),
            "metrics": .array(metrics.map(\.json)),
            "functions": .object(functions.mapValues(\.json)),
        ])
    }

    init(json: JSONValue) {
        self.init(
            pluginID: json["plugin"]?.stringValue ?? "", version: json["version"]?.stringValue ?? "",
            functions: (json["functions"]?.objectValue ?? [:]).mapValues(Function.init(json:)),
            stuck: json["stuck"]?.intValue ?? 0,
            metrics: (json["metrics"]?.arrayValue ?? []).compactMap(PluginMetricSnapshot.init(json:)))
    }
}

extension PluginStatistics.Function {
    var json: JSONValue {
        .object([
            "calls": .int(Int64(calls)), "errors": .object(errors.mapValues { .int(Int64($0)) }),
            "in_flight": .int(Int64(inFlight)), "seconds": .double(secondsTotal), "most": .double(secondsMost),
            "buckets": .array(buckets.map { .int(Int64($0)) }),
        ])
    }

    init(json: JSONValue) {
        self.init()
        calls = json["calls"]?.intValue ?? 0
        errors = (json["errors"]?.objectValue ?? [:]).mapValues { $0.intValue ?? 0 }
        inFlight = json["in_flight"]?.intValue ?? 0
        secondsTotal = json["seconds"]?.doubleValue ?? 0
        secondsMost = json["most"]?.doubleValue ?? 0
        for (index, value) in (json["buckets"]?.arrayValue ?? []).enumerated() where buckets.indices.contains(index) {
            buckets[index] = value.intValue ?? 0
        }
    }
}
