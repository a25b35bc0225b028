// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import StateStore
import Synchronization

/// Follows the store's events once for all streams of this process.
///
/// While there are streams, the latest events are read every `interval` and whenever the bell rings, into a window that all
/// streams read from. A stream that is further behind reads its own project's pages from the store.
package final class EventFeed: Sendable {
    /// What one stream follows.
    struct Subject: Sendable, Hashable {
        /// nil: every project's, of one instance.
        var projectID: String?
        var instanceID: String?

        func has(_ event: OperationEventRecord) -> Bool {
            (projectID.map { $0 == event.projectID } ?? true) && (instanceID.map { $0 == event.instanceID } ?? true)
        }
    }

    /// Events of one subject.
    struct Page: Sendable {
        var events: [OperationEventRecord]
        /// Every event of the subject up to this position has been read.
        var position: Int
    }

    private struct State {
        var events: [OperationEventRecord] = []
        /// Every event behind `start` up to `end` is in `events`; nil: nobody followed.
        var start: Int?
        var end = 0
        var streams: [String: Int] = [:]
        var isEnded = false
    }

    static let interval = Duration.seconds(1)
    /// The store is not read more often, however often the bell rings.
    private static let pause = Duration.milliseconds(50)
    static let pageSize = 200
    private static let windowSize = 2000

    private let store: any StateStore
    /// Rung by whoever writes events in this process.
    private let bell: EventBell
    private let limit: Int
    private let logger: Logger
    private let state = Mutex(State())
    /// Rings when the window has grown, and at the end.
    let news = EventBell()
    /// Rings when somebody begins to follow.
    private let demand = EventBell()

    /// - Parameter limit: Streams of one project at a time.
    init(store: any StateStore, bell: EventBell, limit: Int, logger: Logger) {
        self.store = store
        self.bell = bell
        self.limit = limit
        self.logger = logger
    }

    // MARK: Streams

    /// Counts a stream of `project`.
    ///
    /// - Throws: 413 when the project has as many as it may, 503 while the process ends.
    func open(_ project: String) throws(APIFault) {
        let (count, isEnded) = state.withLock { state in
            if !state.isEnded, state.streams[project, default: 0] < limit {
                state.streams[project, default: 0] += 1
                return (0, false)
            }
            return (state.streams[project, default: 0], state.isEnded)
        }
        if isEnded || count > 0 || limit == 0 {
            var fault =
                isEnded
                ? APIFault(503, "This process of the API is about to end; please connect again.")
                : APIFault(
                    413,
                    "The project follows events over \(count) connections already, as many as it may; close one first.")
            fault.retryAfter = isEnded ? 1 : 10
            throw fault
        }
        demand.ring()
    }

    func close(_ project: String) {
        state.withLock { state in
            let left = (state.streams[project] ?? 1) - 1
            state.streams[project] = left > 0 ? left : nil
            guard state.streams.isEmpty else { return }
            (state.events, state.start) = ([], nil)
        }
    }

    var isEnded: Bool { state.withLock { $0.isEnded } }

    /// Ends every stream after what it sends now, and takes no more.
    func end() {
        state.withLock { $0.isEnded = true }
        news.ring()
    }

    /// The next events of `subject` behind `position`: from the window, or from the store where the window begins later.
    func page(after position: Int, of subject: Subject) async throws -> Page {
        if let page = window(after: position, of: subject) { return page }
        return try await stored(after: position, of: subject, limit: Self.pageSize)
    }

    private func window(after position: Int, of subject: Subject) -> Page? {
        state.withLock { state in
            guard let start = state.start, position >= start else { return nil }
            let found = state.events.lazy.filter { $0.position > position && subject.has($0) }
            return Page(events: Array(found), position: max(position, state.end))
        }
    }

    // MARK: The store

    /// Committed events of `subject` behind `position`.
    func stored(after position: Int, of subject: Subject, limit: Int) async throws -> Page {
        let read = { @Sendable (transaction: any StateTransaction) in
            (
                try transaction.events.hasUnordered(),
                try transaction.events.page(
                    after: position, projectID: subject.projectID, instanceID: subject.instanceID, limit: limit)
            )
        }
        let (isUnordered, page) = try await store.read(read)
        guard isUnordered, page.events.count < limit else {
            return Page(events: page.events, position: page.position)
        }
        try await order()
        let (_, last) = try await store.read(read)
        return Page(events: last.events, position: last.position)
    }

    /// Where a follower begins who wants only what comes.
    func head() async throws -> Int {
        try await order()
        return try await store.read { try $0.events.head() }
    }

    private func order() async throws {
        while try await store.read({ try $0.events.hasUnordered() }) {
            let count = try await store.write(.relaxed) { try $0.events.order(limit: Self.windowSize) }
            if count == 0 { return }
        }
    }

    // MARK: Following

    /// Reads for all streams until the task is cancelled.
    func run() async {
        var isAway = false
        while !Task.isCancelled {
            let (wanted, rung) = (demand.rings, bell.rings)
            guard state.withLock({ !$0.streams.isEmpty }) else {
                await demand.wait(past: wanted, atMost: .seconds(60))
                continue
            }
            do {
                try await follow()
                isAway = false
            } catch {
                if !isAway { logger.warning("events cannot be read", metadata: ["error": "\(error)"]) }
                isAway = true
            }
            try? await Task.sleep(for: Self.pause)
            await bell.wait(past: rung, atMost: Self.interval)
        }
    }

    private func follow() async throws {
        let start = state.withLock { $0.start == nil ? nil : $0.end }
        guard let start else {
            let head = try await head()
            state.withLock { state in
                guard !state.streams.isEmpty else { return }
                (state.events, state.start, state.end) = ([], head, head)
            }
            return news.ring()
        }
        let page = try await stored(after: start, of: Subject(), limit: Self.pageSize)
        guard page.position > start else { return }
        state.withLock { state in
            guard state.start != nil, state.end == start else { return }
            state.events += page.events
            state.end = page.position
            let excess = state.events.count - Self.windowSize
            guard excess > 0 else { return }
            state.start = state.events[excess - 1].position
            state.events.removeFirst(excess)
        }
        news.ring()
    }
}
