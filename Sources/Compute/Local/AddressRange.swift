// SPDX-License-Identifier: Apache-2.0

/// Loopback addresses that instances get, without those that end in 0 or 255.
struct AddressRange: Sendable, Hashable {
    private let first: UInt32
    /// Number of addresses, those that are left out included.
    let count: Int

    /// - Parameter text: CIDR form within 127.0.0.0/8, such as `127.20.0.0/16`.
    init(_ text: String) throws(ComputeError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let octets = (parts.first ?? "").split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 2, octets.count == 4, let bits = Int(parts[1]), (8...32).contains(bits),
            octets.allSatisfy({ $0 != nil }), octets[0] == 127
        else {
            throw ComputeError(
                .unsupported, "address range \(text) is not a network within 127.0.0.0/8; use for example 127.20.0.0/16"
            )
        }
        let address = octets.reduce(UInt32(0)) { $0 << 8 | UInt32($1 ?? 0) }
        let size = UInt32(truncatingIfNeeded: UInt64(1) << UInt64(32 - bits))
        first = address & ~(size &- 1)
        count = Int(size)
    }

    /// The address at `index`; nil for one that is left out.
    subscript(index: Int) -> String? {
        let value = first + UInt32(index % count)
        let last = value & 0xFF
        guard last != 0, last != 255 else { return nil }
        return "\(value >> 24).\(value >> 16 & 0xFF).\(value >> 8 & 0xFF).\(last)"
    }
}
