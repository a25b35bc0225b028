// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// One client's `text/event-stream`: pulled by its connection, so that a slow client holds up nobody else.
///
/// It begins with an empty event that has an id, so that a client that is cut off before its first event asks for what came
/// meanwhile. Source: HTML Standard, server-sent events.
actor EventStream {
    /// Silence is broken so often, so that proxies and clients see that the stream is alive.
    static let heartbeat = Duration.seconds(15)
    /// Then the client connects again, and its token is looked at again.
    static let longest = Duration.seconds(15 * 60)

    private let feed: EventFeed
    private let subject: EventFeed.Subject
    private let owner: String
    private let end: ContinuousClock.Instant
    private let heartbeat: Duration
    private var position: Int
    private var hasBegun = false
    private var lastSent = ContinuousClock.now

    /// - Parameters:
    ///   - owner: The project that the stream counts for; it is counted already.
    ///   - position: The last one that the client has.
    init(
        _ feed: EventFeed, _ subject: EventFeed.Subject, owner: String, after position: Int,
        heartbeat: Duration = EventStream.heartbeat, longest: Duration = EventStream.longest
    ) {
        self.feed = feed
        self.subject = subject
        self.owner = owner
        self.position = position
        self.heartbeat = heartbeat
        end = .now + longest
    }

    deinit { feed.close(owner) }

    /// The next bytes; nil at the end.
    func next() async throws -> [UInt8]? {
        guard hasBegun else {
            hasBegun = true
            lastSent = .now
            return Array("retry: 1000\nid: \(position)\n\n".utf8)
        }
        while true {
            try Task.checkCancellation()
            let seen = feed.news.rings
            if let page = try await page() {
                position = max(position, page.position)
                if !page.events.isEmpty {
                    lastSent = .now
                    return page.events.reduce(into: []) { $0 += EventView.message($1) }
                }
            }
            if feed.isEnded || .now >= end { return nil }
            let left = lastSent + heartbeat - .now
            if left <= .zero {
                lastSent = .now
                return Array(":\n\n".utf8)
            }
            await feed.news.wait(past: seen, atMost: left)
        }
    }

    /// nil while the store cannot answer: the client keeps its connection.
    private func page() async throws -> EventFeed.Page? {
        do {
            return try await feed.page(after: position, of: subject)
        } catch let error as StateStoreError where error.isRetryable {
            return nil
        }
    }
}
