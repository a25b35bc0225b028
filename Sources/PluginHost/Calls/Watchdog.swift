// SPDX-License-Identifier: Apache-2.0

/// One thread that runs short closures at points in time: deadlines and grace periods.
///
/// A hundred thousand open calls have as many deadlines, nearly none of which comes: scheduling and forgetting one costs
/// the logarithm of their number.
final class Watchdog: Sendable {
    static let shared = Watchdog()

    fileprivate struct Entry {
        let id: Int
        let instant: ContinuousClock.Instant
    }

    fileprivate struct State {
        /// A binary heap, the earliest first. What was forgotten stays until it comes up, or most of it is forgotten.
        var heap: [Entry] = []
        /// What to run; without one the entry was forgotten.
        var actions: [Int: @Sendable () -> Void] = [:]
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
            state.actions[id] = action
            state.insert(Entry(id: id, instant: instant))
            defer { state.isRunning = true }
            return (id, !state.isRunning)
        }
        if starts, !OwnThread.start("trove-watchdog", { [self] in watch() }) {
            state.update { $0.isRunning = false }
        }
        return id
    }

    /// Forgets an entry; nothing happens when it has run.
    func cancel(_ id: Int) {
        state.update { state in
            state.actions[id] = nil
            state.tidy()
        }
    }

    private func watch() {
        while true {
            let first = state.wait(until: nil) { $0.heap.first?.instant }
            guard let first else { continue }
            // Wakes early when an entry with an earlier instant comes.
            let due: (@Sendable () -> Void)?? = state.wait(until: first) { state in
                guard let entry = state.heap.first else { return .some(nil) }
                guard entry.instant <= .now else { return entry.instant < first ? .some(nil) : nil }
                state.removeFirst()
                return .some(state.actions.removeValue(forKey: entry.id))
            }
            if let due, let action = due { action() }
        }
    }
}

extension Watchdog.State {
    fileprivate mutating func insert(_ entry: Watchdog.Entry) {
        heap.append(entry)
        var index = heap.count - 1
        while index > 0, heap[index].instant < heap[(index - 1) / 2].instant {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    fileprivate mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sink(0)
    }

    /// Takes forgotten entries away once they are most of the heap.
    fileprivate mutating func tidy() {
        guard heap.count > 64, actions.count * 2 < heap.count else { return }
        heap.removeAll { actions[$0.id] == nil }
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            let left = 2 * index + 1
            guard left < heap.count else { return }
            let right = left + 1
            let least = right < heap.count && heap[right].instant < heap[left].instant ? right : left
            guard heap[least].instant < heap[index].instant else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
