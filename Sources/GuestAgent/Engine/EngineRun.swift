// SPDX-License-Identifier: Apache-2.0

import Model

/// One process of the engine with what watches it and its timers. Owned by the supervisor.
struct EngineRun {
    /// Of the launch; what belongs to an earlier one is recognised by it.
    let number: Int
    let process: EngineProcess
    let socket: NotifySocket
    let watch: EngineWatch
    var record: EngineRecord
    var startDeadline: Deadline
    /// Whether the datastore has been asked if the engine can be used.
    var isConfirming = false
    var events: Task<Void, Never>?
    var startTimer: Task<Void, Never>?
    var stopTimer: Task<Void, Never>?

    /// Ends watch and timers; the process goes on.
    func cancel() {
        watch.stop()
        events?.cancel()
        startTimer?.cancel()
        stopTimer?.cancel()
    }
}
