// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization

/// One thread that waits for the ends of many agents.
final class AgentWatcher: Sendable {
    typealias Handler = @Sendable (String) async -> Void

    private struct State {
        var handlers: [String: Handler] = [:]
        /// By token, since a descriptor's number may be used again while its event is still on the way.
        var watched: [UInt64: (id: String, pidfd: Int32)] = [:]
        var nextToken: UInt64 = 1
        var isClosed = false
    }

    private let state = Mutex(State())
    private let poller: Int32
    /// Written to end the thread; token 0.
    private let wake: Int32

    init() throws(ComputeError) {
        poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        wake = eventfd(0, Int32(EFD_CLOEXEC))
        guard poller >= 0, wake >= 0 else { throw HostFiles.failure("open", "an event queue", errno) }
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(u64: 0))
        guard epoll_ctl(poller, EPOLL_CTL_ADD, wake, &event) == 0 else {
            throw HostFiles.failure("watch", "an event descriptor", errno)
        }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let error = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<AgentWatcher>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, context)
        guard error == 0 else {
            Unmanaged<AgentWatcher>.fromOpaque(context).release()
            throw HostFiles.failure("start", "a thread", error)
        }
        pthread_detach(thread)
    }

    /// From now on `handler` is told of the ends of this instance's agents.
    func follow(_ id: String, _ handler: @escaping Handler) { state.withLock { $0.handlers[id] = handler } }

    /// Watches a process; takes over its handle.
    func arm(_ id: String, _ pidfd: Int32) {
        state.withLock { state in
            removeEntries(id, &state)
            let token = state.nextToken
            state.nextToken += 1
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(u64: token))
            guard !state.isClosed, epoll_ctl(poller, EPOLL_CTL_ADD, pidfd, &event) == 0 else {
                Glibc.close(pidfd)
                return
            }
            state.watched[token] = (id, pidfd)
        }
    }

    /// `arm` if somebody follows the instance, else closes the handle.
    func armIfFollowed(_ id: String, _ pidfd: Int32) {
        if state.withLock({ $0.handlers[id] != nil }) { arm(id, pidfd) } else { Glibc.close(pidfd) }
    }

    /// Nobody is told any more.
    func forget(_ id: String) {
        state.withLock { state in
            state.handlers[id] = nil
            removeEntries(id, &state)
        }
    }

    /// Tells the follower that the agent has ended.
    func report(_ id: String) {
        guard let handler = state.withLock({ $0.handlers[id] }) else { return }
        // Detached: the event comes from a thread that belongs to no task.
        Task.detached { await handler(id) }
    }

    func close() {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            for entry in state.watched.values { Glibc.close(entry.pidfd) }
            state.watched = [:]
            state.handlers = [:]
            eventfd_write(wake, 1)
        }
    }

    private func removeEntries(_ id: String, _ state: inout State) {
        for (token, entry) in state.watched where entry.id == id {
            Glibc.close(entry.pidfd)
            state.watched[token] = nil
        }
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(poller, &events, Int32(events.count), -1)
            if count < 0, errno != EINTR { break }
            for event in events.prefix(max(0, Int(count))) where event.data.u64 != 0 { ended(event.data.u64) }
            if state.withLock({ $0.isClosed }) { break }
        }
        Glibc.close(poller)
        Glibc.close(wake)
    }

    private func ended(_ token: UInt64) {
        guard let entry = state.withLock({ $0.watched.removeValue(forKey: token) }) else { return }
        var status: Int32 = -1
        // Where this process adopts orphans, the ended agent is its to reap.
        _ = clinux_pidfd_wait(entry.pidfd, 0, &status)
        Glibc.close(entry.pidfd)
        report(entry.id)
    }
}
