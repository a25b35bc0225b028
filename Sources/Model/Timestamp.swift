// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#endif

/// A moment in UTC with microseconds.
///
/// Shape: microseconds since 1970-01-01T00:00:00Z. `text` is the API's form `YYYY-MM-DDTHH:MM:SS`, without zone or fraction.
package struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// To the nearest microsecond. What a peer sends may be anything, so it is clamped to 1970 until 9999; NaN is 1970.
    package init(seconds: Double) {
        let bounded = seconds > 0 ? min(seconds, 253_402_300_799) : 0
        microseconds = Int64((bounded * 1_000_000).rounded())
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    package static func + (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(microseconds: left.microseconds + right.microseconds)
    }

    package static func - (left: Timestamp, right: Timestamp) -> Duration {
        .microseconds(left.microseconds - right.microseconds)
    }

    /// Seconds since 1970, as the bus carries them.
    package var seconds: Double { Double(microseconds) / 1_000_000 }

    /// `YYYY-MM-DDTHH:MM:SS`, as the REST contract has it (§1.9).
    package var text: String {
        String(unsafeUninitializedCapacity: Self.textBytes) { room in
            guard let start = room.baseAddress else { return 0 }
            write(to: start)
            return Self.textBytes
        }
    }

    /// Bytes of `text`; a year beyond 9999 is told as 9999 and one before 0 as 0.
    package static let textBytes = 19

    /// Puts the `textBytes` bytes of `text` from `start` on.
    package func write(to start: UnsafeMutablePointer<UInt8>) {
        var (days, rest) = microseconds.quotientAndRemainder(dividingBy: 86_400_000_000)
        if rest < 0 {
            rest += 86_400_000_000
            days -= 1
        }
        let (year, month, day) = Self.civil(days: days)
        let second = rest / 1_000_000
        let bounded = min(max(year, 0), 9999)
        Self.put(bounded / 100, at: start)
        Self.put(bounded % 100, at: start + 2)
        (start + 4).initialize(to: UInt8(ascii: "-"))
        Self.put(month, at: start + 5)
        (start + 7).initialize(to: UInt8(ascii: "-"))
        Self.put(day, at: start + 8)
        (start + 10).initialize(to: UInt8(ascii: "T"))
        Self.put(second / 3600, at: start + 11)
        (start + 13).initialize(to: UInt8(ascii: ":"))
        Self.put(second / 60 % 60, at: start + 14)
        (start + 16).initialize(to: UInt8(ascii: ":"))
        Self.put(second % 60, at: start + 17)
    }

    package var description: String { text + "Z" }

    /// Two digits.
    private static func put(_ value: Int64, at place: UnsafeMutablePointer<UInt8>) {
        place.initialize(to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10))
        (place + 1).initialize(to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }

    /// Days since 1970-01-01 to year, month, day. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
    private static func civil(days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }
}

extension Duration {
    /// Whole microseconds, rounded towards zero.
    package var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }

    /// Seconds with fraction.
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// Where the time of day comes from, so that tests can turn it.
package protocol WallClock: Sendable {
    var now: Timestamp { get }
}

/// The system's real-time clock.
package struct SystemWallClock: WallClock {
    package init() {}

    package var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
