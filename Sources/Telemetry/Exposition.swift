// SPDX-License-Identifier: Apache-2.0

/// Writes families as Prometheus text. Source: Prometheus text exposition format 0.0.4.
package enum Exposition {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Families in the order of their names; those of one name are one.
    package static func text(_ families: [MetricFamily]) -> String {
        var merged: [String: MetricFamily] = [:]
        for family in families where !family.samples.isEmpty {
            if merged[family.name]?.kind == family.kind {
                merged[family.name]?.samples += family.samples
            } else if merged[family.name] == nil {
                merged[family.name] = family
            }
        }
        var text = ""
        for name in merged.keys.sorted() {
            if let family = merged[name] { write(family, to: &text) }
        }
        return text
    }

    private static func write(_ family: MetricFamily, to text: inout String) {
        if !family.help.isEmpty { text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n" }
        text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
        for sample in family.samples {
            switch sample.value {
            case .number(let value): line(family.name, sample.labels, number(value), to: &text)
            case .histogram(let bounds, let buckets, let count, let sum):
                var running = 0
                for (bound, bucket) in zip(bounds, buckets) {
                    running += bucket
                    line(family.name + "_bucket", sample.labels + [("le", number(bound))], "\(running)", to: &text)
                }
                line(family.name + "_bucket", sample.labels + [("le", "+Inf")], "\(count)", to: &text)
                line(family.name + "_sum", sample.labels, number(sum), to: &text)
                line(family.name + "_count", sample.labels, "\(count)", to: &text)
            }
        }
    }

    private static func line(
        _ name: String, _ labels: [(name: String, value: String)], _ value: String, to text: inout String
    ) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
            text += "{" + pairs.joined(separator: ",") + "}"
        }
        text += " " + value + "\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
        return "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
