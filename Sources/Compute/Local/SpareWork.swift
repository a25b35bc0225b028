// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// One thread that makes spare images in the pauses between creations.
final class SpareWork: Sendable {
    private struct State {
        var lastUse = ContinuousClock.now - .seconds(3600)
        var isClosed = false
    }

    private let state = Mutex(State())
    private let thread = BlockingPool(threads: 1)

    /// How long no volume has been asked for when the disk counts as idle.
    static let pause: Duration = .milliseconds(500)
    /// How long a steady stream of creations may put spare images off.
    static let patience: Duration = .seconds(5)

    /// A volume is being made now.
    func noteUse() { state.withLock { $0.lastUse = .now } }

    func start(_ body: @escaping @Sendable () -> Void) { thread.start(body) }

    /// Returns when what has been started so far is done.
    func finish() async {
        try? await thread.run { () throws(ComputeError) in }
    }

    /// Waits until nothing else uses the disk; false when the driver closes. Only on this thread.
    func waitForPause(isUrgent: Bool) -> Bool {
        let isOver: () -> Bool = {
            self.state.withLock { $0.isClosed || $0.lastUse.duration(to: .now) >= Self.pause }
        }
        if !isUrgent { _ = poll(for: Self.patience, until: isOver) }
        return state.withLock { !$0.isClosed }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        thread.close()
    }
}
