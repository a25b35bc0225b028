// SPDX-License-Identifier: Apache-2.0

import Model

/// `access.json`: the networks that may connect to an instance. An instance without one is open to everybody.
struct AccessRecord: Sendable, Hashable {
    var allowed: [IPv4Network]

    /// - Throws: `.unsupported` for a text that is no IPv4 address or network.
    init(allowed: [String]) throws(ComputeError) {
        self.allowed = try allowed.map { text throws(ComputeError) in
            guard let network = IPv4Network(text) else {
                throw ComputeError(.unsupported, "\(text) is not an IPv4 address or network, such as 10.0.0.0/8")
            }
            return network
        }
    }

    init?(_ json: JSONValue?) {
        guard let texts = json?["allowed"]?.arrayValue, !texts.isEmpty else { return nil }
        allowed = texts.compactMap { $0.stringValue.flatMap(IPv4Network.init) }
        guard allowed.count == texts.count else { return nil }
    }

    var json: JSONValue { ["allowed": .array(allowed.map { .string($0.text) })] }

    /// Whether it says no more than that everybody may connect.
    var isOpen: Bool { allowed.isEmpty || allowed.contains { $0.bits == 0 } }
}
