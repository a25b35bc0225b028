// SPDX-License-Identifier: Apache-2.0

package import Model
import Synchronization

/// A time of day that stands still until a test moves it.
package final class TestClock: WallClock {
    private let time: Mutex<Timestamp>

    /// Starts at 2020-09-13T12:26:40Z unless told otherwise.
    package init(_ start: Timestamp = Timestamp(microseconds: 1_600_000_000_000_000)) { time = Mutex(start) }

    package var now: Timestamp { time.withLock { $0 } }

    package func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }

    package func set(_ moment: Timestamp) { time.withLock { $0 = moment } }
}
