// SPDX-License-Identifier: Apache-2.0

/// An IPv4 network; a single address is one of 32 bits.
package struct IPv4Network: Sendable, Hashable {
    /// Without bits of the host.
    package let address: UInt32
    package let bits: Int

    /// - Parameter text: `10.1.2.3` or `10.0.0.0/8`; bits of the host are dropped.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let octets = (parts.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
            .map { UInt32($0, radix: 10) }
        guard parts.count <= 2, octets.count == 4, octets.allSatisfy({ $0.map { $0 <= 255 } ?? false }) else {
            return nil
        }
        guard let bits = parts.count == 2 ? Int(parts[1]) : 32, (0...32).contains(bits) else { return nil }
        self.bits = bits
        let mask: UInt32 = bits == 0 ? 0 : ~UInt32(0) << UInt32(32 - bits)
        address = octets.reduce(0) { $0 << 8 | ($1 ?? 0) } & mask
    }

    package var text: String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)/\(bits)"
    }
}
