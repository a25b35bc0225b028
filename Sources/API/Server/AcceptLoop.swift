// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Accepts connections on a socket that other processes accept on too.
///
/// A thread waits for the socket beside everybody else and accepts one connection at a time without blocking, so whoever
/// is free is first, and nobody waits for one that is not. What is not accepted stays in the backlog for the others. The
/// event library's own listener takes a connection that another process was faster to accept for a fault of its own.
/// Source: poll(2), accept(2).
final class AcceptLoop: Sendable {
    /// A connection that nobody serves yet; closed when nobody takes it.
    final class Accepted: Sendable {
        private let descriptor: Mutex<Int32?>

        fileprivate init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

        deinit { if let descriptor = take() { close(descriptor) } }

        /// The descriptor, which is the caller's from now on; nil when it was taken before.
        func take() -> Int32? {
            descriptor.withLock { descriptor in
                defer { descriptor = nil }
                return descriptor
            }
        }
    }

    private struct State {
        var isStopped = false
        var openConnections = 0
    }

    /// How long nothing is accepted when the process has no descriptors left.
    private static let pauseMilliseconds: Int32 = 100
    /// How long others on the socket may take for a connection that this process has no room for.
    private static let fullMilliseconds: Int32 = 50

    /// What is accepted, until a stop.
    let connections: AsyncStream<Accepted>
    private let accepted: AsyncStream<Accepted>.Continuation
    private let listener: Int32
    /// What is written to the second end wakes the thread, which waits for the first.
    private let waker: (reading: Int32, writing: Int32)
    private let maximumConnections: Int
    /// Asked to end connections when somebody waits and there is no room.
    private let makeRoom: @Sendable () -> Void
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let state = Mutex(State())
    private let logger: Logger

    /// - Parameters:
    ///   - descriptor: A listening socket; a duplicate of it is used, which is closed and never shut down.
    ///   - maximumConnections: Beyond this nothing is accepted until one is released.
    ///   - makeRoom: Called while somebody waits and nothing can be accepted, some twenty times a second.
    /// - Throws: `IOError` when the descriptor is not a listening socket.
    init(
        _ descriptor: Int32, maximumConnections: Int, logger: Logger, makeRoom: @Sendable @escaping () -> Void = {}
    ) throws {
        listener = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard listener >= 0 else { throw IOError(errnoCode: errno, reason: "fcntl(F_DUPFD_CLOEXEC)") }
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let failure = socketpair(AF_UNIX, type, 0, &ends) == 0 ? 0 : errno
        waker = (ends[0], ends[1])
        self.maximumConnections = maximumConnections
        self.makeRoom = makeRoom
        self.logger = logger
        (connections, accepted) = AsyncStream.makeStream()
        guard failure == 0 else { throw IOError(errnoCode: failure, reason: "socketpair") }
        var isListening: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) == 0, isListening != 0 else {
            throw IOError(errnoCode: ENOTSOCK, reason: "the descriptor is not a listening socket")
        }
        guard fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK) == 0 else {
            throw IOError(errnoCode: errno, reason: "fcntl(F_SETFL)")
        }
    }

    deinit {
        for descriptor in [listener, waker.reading, waker.writing] where descriptor >= 0 { close(descriptor) }
    }

    /// Accepts until `stop`; call it once.
    func start() {
        thread.start()
        thread.submit { [self] _ in
            run()
            accepted.finish()
            thread.shutdownGracefully { _ in }
        }
    }

    /// Accepts nothing from now on; what is accepted already is still handed out.
    func stop() {
        state.withLock { $0.isStopped = true }
        wake()
    }

    /// A connection has ended.
    func release() {
        let wasFull = state.withLock { state in
            state.openConnections -= 1
            return state.openConnections == maximumConnections - 1
        }
        if wasFull { wake() }
    }

    /// A waker that is full wakes too.
    private func wake() { _ = send(waker.writing, [1], 1, Int32(MSG_NOSIGNAL)) }

    private func run() {
        while true {
            let (isStopped, hasRoom) = state.withLock { ($0.isStopped, $0.openConnections < maximumConnections) }
            guard !isStopped else { return }
            var polled = [
                pollfd(fd: waker.reading, events: Int16(POLLIN), revents: 0),
                pollfd(fd: hasRoom ? listener : -1, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&polled, 2, hasRoom ? -1 : Self.fullMilliseconds)
            if polled[0].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 64)
                _ = recv(waker.reading, &bytes, bytes.count, 0)
            } else if polled[1].revents != 0 {
                guard acceptOne() else { return }
            } else if !hasRoom, isWaitedFor {
                makeRoom()
            }
        }
    }

    private var isWaitedFor: Bool {
        var polled = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) == 1
    }

    /// - Returns: Whether the socket can be accepted on again.
    private func acceptOne() -> Bool {
        let descriptor = accept(listener, nil, nil)
        guard descriptor < 0 else {
            // accept4(2) is shown only with the C library's extensions on.
            guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
                close(descriptor)
                return true
            }
            state.withLock { $0.openConnections += 1 }
            if case .terminated = accepted.yield(Accepted(descriptor)) { release() }
            return true
        }
        switch errno {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            logger.warning("cannot accept", metadata: ["error.message": .string(String(cString: strerror(errno)))])
            var waited = pollfd(fd: waker.reading, events: Int16(POLLIN), revents: 0)
            poll(&waited, 1, Self.pauseMilliseconds)
            return true
        case EBADF, EINVAL, ENOTSOCK, EFAULT:
            logger.error("accepting stopped", metadata: ["error.message": .string(String(cString: strerror(errno)))])
            return false
        default:
            // Somebody else was faster, or the client has left.
            return true
        }
    }
}
