// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization

/// The `Date` header, made once a second. Source: RFC 9110 §5.6.7 and §6.6.1.
final class HTTPDate: Sendable {
    private let cache = Mutex<(second: Int64, text: String)>((-1, ""))

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    func text(_ now: Timestamp) -> String {
        let second = now.microseconds / 1_000_000
        return cache.withLock { cache in
            if cache.second != second { cache = (second, Self.format(now, second)) }
            return cache.text
        }
    }

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// From `YYYY-MM-DDTHH:MM:SS`; 1970 began on a Thursday.
    private static func format(_ now: Timestamp, _ second: Int64) -> String {
        let text = now.text
        let parts = text.split { $0 == "-" || $0 == "T" }
        guard parts.count == 4, let month = Int(parts[1]), months.indices.contains(month - 1) else { return text }
        let weekday = weekdays[Int(max(0, second) / 86_400 % 7)]
        return "\(weekday), \(parts[2]) \(months[month - 1]) \(parts[0]) \(parts[3]) GMT"
    }
}
