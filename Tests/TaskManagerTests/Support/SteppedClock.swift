// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization

/// The system's clock, which a test sets forward or back.
final class SteppedClock: WallClock {
    private let offset = Mutex(Duration.zero)

    var now: Timestamp { SystemWallClock().now + offset.withLock { $0 } }

    func step(by duration: Duration) { offset.withLock { $0 += duration } }
}
