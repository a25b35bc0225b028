// SPDX-License-Identifier: Apache-2.0

/// Metrics of one name, as a scrape shows them. Source: Prometheus text exposition format 0.0.4.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// One set of labels.
    package struct Sample: Sendable {
        package enum Value: Sendable {
            case number(Double)
            /// Observations by the first bound that they do not pass; those past the last are in `count` alone.
            case histogram(bounds: [Double], buckets: [Int], count: Int, sum: Double)
        }

        package var labels: [(name: String, value: String)]
        package var value: Value

        package init(_ labels: [(name: String, value: String)], _ value: Value) {
            self.labels = labels
            self.value = value
        }
    }

    package var name: String
    package var help: String
    package var kind: Kind
    package var samples: [Sample]

    package init(_ name: String, _ kind: Kind, help: String = "", samples: [Sample] = []) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }

    /// A valid metric name: what no name can have becomes `_`.
    package static func name(_ text: String) -> String { cleaned(text, allowsColon: true) }

    /// A valid label name.
    package static func label(_ text: String) -> String { cleaned(text, allowsColon: false) }

    private static func cleaned(_ text: String, allowsColon: Bool) -> String {
        var bytes = text.utf8.map { byte -> UInt8 in
            switch byte {
            case 0x61...0x7a, 0x41...0x5a, 0x30...0x39, 0x5f: byte
            case 0x3a where allowsColon: byte
            default: 0x5f
            }
        }
        if bytes.first.map({ (0x30...0x39).contains($0) }) ?? true { bytes.insert(0x5f, at: 0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
