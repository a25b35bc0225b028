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
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3 else { return nil }
        var numbers: [Int] = []
        for part in parts {
            guard !part.isEmpty, part.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(part) else {
                return nil
            }
            numbers.append(number)
        }
        self.init(major: numbers[0], minor: numbers[1], patch: numbers.count == 3 ? numbers[2] : 0)
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
