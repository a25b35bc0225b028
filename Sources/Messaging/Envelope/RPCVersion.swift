// SPDX-License-Identifier: Apache-2.0

/// A version of an RPC API: `major.minor` and an optional third part.
package struct RPCVersion: Sendable, Hashable {
    package var major: Int
    package var minor: Int
    package var patch: Int

    package init(major: Int, minor: Int, patch: Int = 0) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads two or three decimal numbers with dots between; nil for anything else.
    package init?(_ text: String) {
        var numbers = (0, 0, 0)
        var (index, digits) = (0, 0)
        for byte in text.utf8 {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, index < 2 else { return nil }
                (index, digits) = (index + 1, 0)
                continue
            }
            guard (0x30...0x39).contains(byte), digits < 18 else { return nil }
            let digit = Int(byte - 0x30)
            switch index {
            case 0: numbers.0 = numbers.0 * 10 + digit
            case 1: numbers.1 = numbers.1 * 10 + digit
            default: numbers.2 = numbers.2 * 10 + digit
            }
            digits += 1
        }
        guard index > 0, digits > 0 else { return nil }
        self.init(major: numbers.0, minor: numbers.1, patch: numbers.2)
    }

    /// Whether an implementation of this version serves a request for `requested`.
    ///
    /// Shape: same major, requested minor not above; with equal minors, requested third part not above.
    /// Source: oslo.messaging, `version_is_compatible`.
    package func accepts(_ requested: RPCVersion) -> Bool {
        guard requested.major == major, requested.minor <= minor else { return false }
        return requested.minor < minor || requested.patch <= patch
    }
}
