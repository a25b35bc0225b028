// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Logging
import Synchronization

/// The bus of one host: a hub on a Unix socket, for clients of the same user or root.
///
/// What it holds is in memory only: a hub that stops takes the messages that wait in it along. It has one thread of its own and
/// works only when something happens.
package final class LocalHub: Sendable {
    private enum Phase {
        case idle
        case running(WakeSignal, [CheckedContinuation<Void, Never>])
        case stopping(WakeSignal, [CheckedContinuation<Void, Never>])
        case stopped
    }

    private let path: String
    private let logger: Logger
    private let limits: HubLimits
    private let phase = Mutex(Phase.idle)

    /// - Parameters:
    ///   - path: Of the socket, at most 107 bytes. `<path>.lock` beside it keeps a second hub away.
    ///   - limits: How much it holds.
    package init(path: String, logger: Logger, limits: HubLimits = HubLimits()) {
        self.path = path
        self.logger = logger
        self.limits = limits
    }

    /// Listens and begins to serve; returns at once. To start a started hub does nothing.
    ///
    /// The socket has mode 0600. A socket file that nobody listens on is replaced.
    ///
    /// - Throws: `unavailable` when the path is too long, another hub has it, or the system refuses.
    package func start() throws(MessagingError) {
        let result = phase.withLock { phase -> Result<Void, MessagingError> in
            guard case .idle = phase else { return .success(()) }
            do throws(MessagingError) {
                phase = .running(try launch(), [])
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        logger.debug("bus hub listens", metadata: ["bus.socket": "\(path)"])
    }

    /// Starts unless started, and serves until `stop()` or until the calling task is cancelled.
    ///
    /// - Throws: As `start()`.
    package func run() async throws(MessagingError) {
        try start()
        await withTaskCancellationHandler {
            await wait()
        } onCancel: {
            requestStop()
        }
    }

    /// Closes the socket, lets clients read what is meant for them for up to a second, and returns when the thread has ended.
    package func stop() async {
        requestStop()
        await wait()
    }

    private func requestStop() {
        phase.withLock { phase in
            switch phase {
            case .idle: phase = .stopped
            case .running(let wake, let waiters):
                phase = .stopping(wake, waiters)
                wake.raise()
            case .stopping, .stopped: break
            }
        }
    }

    private func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = phase.withLock { phase in
                switch phase {
                case .idle, .stopped: return true
                case .running(let wake, let waiters): phase = .running(wake, waiters + [continuation])
                case .stopping(let wake, let waiters): phase = .stopping(wake, waiters + [continuation])
                }
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private var shouldStop: Bool {
        phase.withLock { phase in
            if case .running = phase { false } else { true }
        }
    }

    private func finish() {
        let waiters = phase.withLock { phase -> [CheckedContinuation<Void, Never>] in
            defer { phase = .stopped }
            switch phase {
            case .running(_, let waiters), .stopping(_, let waiters): return waiters
            case .idle, .stopped: return []
            }
        }
        for waiter in waiters { waiter.resume() }
    }
}

// MARK: - Socket and thread

extension LocalHub {
    private func launch() throws(MessagingError) -> WakeSignal {
        try UnixSocket.check(path)
        let lock = try lockPath()
        try removeStale()
        let listener: Descriptor
        switch UnixSocket.listen(path) {
        case .success(let descriptor): listener = descriptor
        case .failure(let failure): throw MessagingError(.unavailable, "the bus cannot listen on \(path): \(failure)")
        }
        guard let wake = WakeSignal() else { throw MessagingError(.unavailable, "the bus has no descriptors left") }
        let path = path
        let failure = ServiceThread.start("bus-hub") { [self] in
            let loop = HubLoop(listener: listener, wake: wake, limits: limits, logger: logger) { self.shouldStop }
            if let loop { loop.run() } else { logger.error("bus hub has no descriptors left") }
            // The name goes before the lock, so that a successor's socket is never removed.
            unlink(path)
            flock(lock.number, LOCK_UN)
            finish()
        }
        guard failure == 0 else {
            unlink(path)
            throw MessagingError(.unavailable, "the bus cannot start a thread: \(systemMessage(failure))")
        }
        return wake
    }

    /// Takes the lock that a hub holds while it lives; the file stays, only the lock goes with the process.
    private func lockPath() throws(MessagingError) -> Descriptor {
        let number = open(path + ".lock", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else {
            throw MessagingError(.unavailable, "the bus cannot open \(path).lock: \(systemMessage(errno))")
        }
        let lock = Descriptor(number)
        guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
            throw MessagingError(.unavailable, "another hub serves \(path)")
        }
        return lock
    }

    /// Removes a socket that a dead hub left; refuses anything else in its place.
    private func removeStale() throws(MessagingError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw MessagingError(.unavailable, "\(path) is in the way of the bus socket; it is not a socket")
        }
        if case .success = UnixSocket.connect(path) {
            throw MessagingError(.unavailable, "something else listens on \(path)")
        }
        guard unlink(path) == 0 else {
            throw MessagingError(.unavailable, "the bus cannot replace \(path): \(systemMessage(errno))")
        }
    }
}
