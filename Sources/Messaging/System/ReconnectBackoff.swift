// SPDX-License-Identifier: Apache-2.0

/// Pauses between attempts to connect: 10 ms, doubled each time up to 1 s, each shortened by up to half at random.
struct ReconnectBackoff {
    private static let first = 10_000
    private static let longest = 1_000_000
    private var microseconds = first

    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        defer { microseconds = min(microseconds * 2, Self.longest) }
        return .microseconds(Int.random(in: microseconds / 2...microseconds, using: &generator))
    }

    mutating func reset() { microseconds = Self.first }
}
