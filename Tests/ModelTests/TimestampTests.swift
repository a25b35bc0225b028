// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "the text is UTC to the second, through leap years and before 1970",
        arguments: [
            (0, "1970-01-01T00:00:00"), (951_782_399, "2000-02-28T23:59:59"), (951_782_400, "2000-02-29T00:00:00"),
            (951_868_800, "2000-03-01T00:00:00"), (1_709_210_096, "2024-02-29T12:34:56"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (-1, "1969-12-31T23:59:59"), (-62_135_596_800, "0001-01-01T00:00:00"),
            (253_402_300_799, "9999-12-31T23:59:59"),
        ] as [(Int64, String)])
    func text(seconds: Int64, text: String) {
        #expect(Timestamp(microseconds: seconds * 1_000_000).text == text)
        #expect(Timestamp(microseconds: seconds * 1_000_000 + 999_999).text == text)
        #expect("\(Timestamp(microseconds: seconds * 1_000_000))" == text + "Z")
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("a", Timestamp(microseconds: seconds * 1_000_000))
            writer.member("b", Timestamp?.none)
            writer.member("c", 1)
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"a":"\#(text)","b":null,"c":1}"#)
    }

    @Test("seconds keep their microseconds; what is no time of ours is clamped")
    func seconds() {
        #expect(Timestamp(seconds: 1_600_000_000.123456).microseconds == 1_600_000_000_123_456)
        let time = Timestamp(microseconds: 1_718_123_456_789_012)
        #expect(Timestamp(seconds: time.seconds) == time)
        for strange: Double in [.nan, -1, -Double.infinity, -1e300] {
            #expect(Timestamp(seconds: strange).microseconds == 0)
        }
        for strange: Double in [Double.infinity, 1e300] {
            #expect(Timestamp(seconds: strange).text == "9999-12-31T23:59:59")
        }
    }

    @Test("sums, differences and order are exact")
    func arithmetic() {
        let start = Timestamp(microseconds: 1_600_000_000_000_001)
        let end = start + .milliseconds(1500) + .nanoseconds(1999)
        #expect(end.microseconds == 1_600_000_001_500_002)
        #expect(end - start == .microseconds(1_500_001))
        #expect(start - end == .microseconds(-1_500_001))
        #expect(start < end)
        #expect((Duration.seconds(2) + .milliseconds(250)).inSeconds == 2.25)
    }

    @Test("the system's clock is later than this was written and does not stand still")
    func systemClock() {
        let clock = SystemWallClock()
        let first = clock.now
        #expect(first > Timestamp(microseconds: 1_700_000_000_000_000))
        while clock.now == first {}
        #expect(clock.now > first)
    }

    @Test("a deadline passes and has nothing left then")
    func deadline() {
        let past = Deadline(.now - .seconds(1))
        let future = Deadline.after(.seconds(60))
        #expect(past.isPast)
        #expect(past.remaining == .zero)
        #expect(!future.isPast)
        #expect(future.remaining > .seconds(50))
        #expect(past < future)
    }
}
