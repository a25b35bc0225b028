// SPDX-License-Identifier: Apache-2.0

/// One thread that runs short closures at points in time: deadlines and grace periods.
final class Watchdog: Sendable {
    static let shared = Watchdog()

    private struct Entry {
        let id: Int
        let instant: ContinuousClock.Instant
        let action: @Sendable () -> Void
    }

    private struct State {
        /// By instant, the next one last.
        var entries: [Entry] = []
        var nextID = 1
        var isRunning = false
    }

    private let state = ConditionLock(State())

    /// - Parameter action: Runs on the watchdog's thread: return at once.
    /// - Returns: A handle for `cancel`.
    func schedule(at instant: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> Int {
        let (id, starts) = state.update { state in
            let id = state.nextID
            state.nextID += 1
            let index = state.entries.firstIndex { $0.instant <= instant } ?? state.entries.endIndex
            state.entries.insert(Entry(id: id, instant: instant, action: action), at: index)
            defer { state.isRunning = true }
            return (id, !state.isRunning)
        }
        if starts, !OwnThread.start("trove-watchdog", { [self] in watch() }) {
            state.update { $0.isRunning = false }
        }
        return id
    }

    /// Forgets an entry; nothing happens when it has run.
    func cancel(_ id: Int) { state.update { $0.entries.removeAll { $0.id == id } } }

    private func watch() {
        while true {
            let next = state.wait(until: nil) { $0.entries.last?.instant }
            guard let next else { continue }
            // Wakes early when an entry with an earlier instant comes.
            let due: Entry?? = state.wait(until: next) { state in
                guard let last = state.entries.last else { return .some(nil) }
                guard last.instant <= .now else { return last.instant < next ? .some(nil) : nil }
                return state.entries.removeLast()
            }
            if let due, let entry = due { entry.action() }
        }
    }
}
