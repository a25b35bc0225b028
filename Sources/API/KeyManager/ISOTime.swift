// SPDX-License-Identifier: Apache-2.0

import Model

/// Times as the key manager has them: `2026-11-29T22:17:23.874069`, in UTC. Source: ISO 8601; Python's `datetime.isoformat`.
enum ISOTime {
    static func text(_ time: Timestamp) -> String {
        let digits = String(time.microseconds % 1_000_000)
        let fraction = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
        return time.text + (time.microseconds % 1_000_000 == 0 ? "" : "." + fraction)
    }

    /// `YYYY-MM-DD[THH:MM[:SS[.f]][Z|±HH[:MM]]]`; without a zone, UTC. nil for what is no such time.
    static func parse(_ text: String) -> Timestamp? {
        let form =
            #/(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?:(Z)|([+-])(\d\d):?(\d\d)?)?/#
        guard let match = text.wholeMatch(of: form), let year = Int64(match.1), let month = Int64(match.2),
            let day = Int64(match.3), 1970...9999 ~= year, 1...12 ~= month, 1...31 ~= day
        else { return nil }
        func number(_ part: Substring??) -> Int64 { (part ?? nil).flatMap { Int64($0) } ?? 0 }
        let (hour, minute, second) = (number(match.4), number(match.5), number(match.6))
        guard hour < 24, minute < 60, second < 60 else { return nil }
        let micros = match.7.map { Int64(($0 + "000000").prefix(6)) ?? 0 } ?? 0
        var seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        if let sign = match.9 {
            seconds -= (sign == "-" ? -1 : 1) * (number(match.10) * 3600 + number(match.11) * 60)
        }
        let time = Timestamp(microseconds: seconds * 1_000_000 + micros)
        // A day that its month does not have is another day.
        let same = Timestamp(microseconds: days(year, month, day) * 86_400_000_000).text
        return same.hasPrefix("\(match.1)-\(match.2)-\(match.3)T") ? time : nil
    }

    /// Days since 1970-01-01. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
