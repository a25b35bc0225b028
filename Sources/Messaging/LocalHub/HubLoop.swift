// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Logging
import Model

/// The hub's thread: sockets in front of a `HubState`.
///
/// Nothing here blocks but epoll_wait(2), so a client that does not read holds up nobody but itself.
final class HubLoop {
    private enum Key {
        static let listener: UInt64 = 0
        static let wake: UInt64 = 1
        static let firstConnection: UInt64 = 2
    }

    /// How long a stopping hub gives its clients to read what is meant for them.
    private static let farewell = Duration.seconds(1)
    /// How long the hub stops to accept after it ran out of descriptors.
    private static let acceptPause = Duration.seconds(1)

    private let listener: Descriptor
    private let wake: WakeSignal
    private let poller: Descriptor
    private let logger: Logger
    private let shouldStop: () -> Bool
    private var state: HubState
    private var connections: [UInt64: HubConnection] = [:]
    private var touched: Set<UInt64> = []
    private var nextID = Key.firstConnection
    private var acceptsAgain: ContinuousClock.Instant?
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: HubFrameBuffer.chunkBytes, alignment: 16)

    /// nil when the process has no descriptors left.
    init?(
        listener: Descriptor, wake: WakeSignal, limits: HubLimits, logger: Logger, shouldStop: @escaping () -> Bool
    ) {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard number >= 0 else { return nil }
        self.listener = listener
        self.wake = wake
        poller = Descriptor(number)
        self.logger = logger
        self.shouldStop = shouldStop
        state = HubState(limits: limits, started: .now)
        watch(listener, Key.listener, EPOLL_CTL_ADD, reading: true, writing: false)
        watch(wake.descriptor, Key.wake, EPOLL_CTL_ADD, reading: true, writing: false)
    }

    deinit { scratch.deallocate() }

    /// Serves until `shouldStop`, then lets the clients read what is meant for them.
    func run() {
        while !shouldStop() {
            for (key, isReadable) in wait(until: nextDeadline) { handle(key, isReadable: isReadable) }
            let now = ContinuousClock.now
            deliver(state.settle(now: now))
            resumeAccepting(now)
            flushTouched()
        }
        sayFarewell()
    }

    private var nextDeadline: ContinuousClock.Instant? {
        [state.nextDeadline, acceptsAgain].compactMap { $0 }.min()
    }

    private func handle(_ key: UInt64, isReadable: Bool) {
        switch key {
        case Key.listener: acceptAll()
        case Key.wake: wake.clear()
        default:
            guard let connection = connections[key] else { return }
            touched.insert(key)
            if isReadable { read(connection) }
        }
    }

    private func sayFarewell() {
        let deadline = ContinuousClock.now + Self.farewell
        while ContinuousClock.now < deadline, connections.values.contains(where: { $0.pendingBytes > 0 }) {
            touched = Set(connections.keys)
            flushTouched()
            if connections.values.contains(where: { $0.pendingBytes > 0 }) { _ = wait(until: deadline) }
        }
        connections.removeAll()
    }
}

// MARK: - Connections

extension HubLoop {
    private func acceptAll() {
        while true {
            let number = accept(listener.number, nil, nil)
            guard number >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                if errno != EAGAIN { pauseAccepting(errno) }
                return
            }
            let descriptor = Descriptor(number)
            // accept4(2) is shown only with the C library's extensions on.
            guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0, UnixSocket.setNonBlocking(descriptor) else { continue }
            admit(descriptor)
        }
    }

    private func admit(_ descriptor: Descriptor) {
        guard let user = UnixSocket.peerUser(descriptor), user == 0 || user == geteuid() else {
            logger.warning("bus connection of another user refused")
            return
        }
        guard connections.count < state.limits.connections else {
            logger.warning("bus connection refused", metadata: ["bus.connections": "\(connections.count)"])
            return
        }
        let connection = HubConnection(id: nextID, descriptor: descriptor)
        nextID += 1
        connections[connection.id] = connection
        watch(descriptor, connection.id, EPOLL_CTL_ADD, reading: true, writing: false)
    }

    /// Without descriptors a listener stays readable; looking away for a moment keeps the thread from spinning.
    private func pauseAccepting(_ code: Int32) {
        logger.warning("bus cannot accept", metadata: ["error.message": "\(systemMessage(code))"])
        watch(listener, Key.listener, EPOLL_CTL_MOD, reading: false, writing: false)
        acceptsAgain = .now + Self.acceptPause
    }

    private func resumeAccepting(_ now: ContinuousClock.Instant) {
        guard let time = acceptsAgain, time <= now else { return }
        acceptsAgain = nil
        watch(listener, Key.listener, EPOLL_CTL_MOD, reading: true, writing: false)
    }

    /// Reads a few chunks, so that one client does not keep the others waiting.
    private func read(_ connection: HubConnection) {
        for _ in 0..<16 {
            switch connection.input.fill(from: connection.descriptor, scratch: scratch) {
            case .nothing: return
            case .end: return drop(connection, reason: nil)
            case .bytes:
                do throws(MessagingError) {
                    while let frame = try connection.input.next() { take(frame, from: connection) }
                } catch {
                    return drop(connection, reason: error.message)
                }
            }
        }
    }

    private func take(_ frame: HubFrame, from connection: HubConnection) {
        if case .hello(_, _, let name) = frame {
            connection.name = name
            logger.debug("bus client connected", metadata: ["bus.client": "\(name)"])
        }
        deliver(state.take(frame, from: connection.id, now: .now))
    }

    private func drop(_ connection: HubConnection, reason: String?) {
        guard connections.removeValue(forKey: connection.id) != nil else { return }
        watch(connection.descriptor, connection.id, EPOLL_CTL_DEL, reading: false, writing: false)
        let metadata: Logger.Metadata = ["bus.client": "\(connection.name)", "error.message": "\(reason ?? "")"]
        logger.log(level: reason == nil ? .debug : .warning, "bus client gone", metadata: metadata)
        deliver(state.disconnect(connection.id, now: .now))
    }
}

// MARK: - Input and output

extension HubLoop {
    private func deliver(_ output: [HubState.Output]) {
        for item in output {
            guard let connection = connections[item.connection] else { continue }
            connection.append(item.frame)
            touched.insert(item.connection)
        }
    }

    /// What may wait for a client that does not read. Deliveries alone never reach it, since the hub does not hold so much.
    private var maximumOutputBytes: Int { state.limits.totalBytes + HubFrame.maximumBytes }

    private func flushTouched() {
        while let id = touched.popFirst() {
            guard let connection = connections[id] else { continue }
            guard connection.flush() else {
                drop(connection, reason: nil)
                continue
            }
            if connection.pendingBytes > maximumOutputBytes {
                drop(connection, reason: "the client does not read")
            } else if connection.waitsForRoom != (connection.pendingBytes > 0) {
                connection.waitsForRoom.toggle()
                watch(connection.descriptor, id, EPOLL_CTL_MOD, reading: true, writing: connection.waitsForRoom)
            }
        }
    }

    private func watch(_ descriptor: Descriptor, _ key: UInt64, _ operation: Int32, reading: Bool, writing: Bool) {
        var event = epoll_event()
        event.events = (reading ? EPOLLIN.rawValue : 0) | (writing ? EPOLLOUT.rawValue : 0)
        event.data.u64 = key
        epoll_ctl(poller.number, operation, descriptor.number, &event)
    }

    /// Waits for events; the keys that have some, and whether each may be read.
    private func wait(until deadline: ContinuousClock.Instant?) -> [(UInt64, Bool)] {
        var timeout: Int32 = -1
        if let deadline {
            let left = max(.zero, ContinuousClock.now.duration(to: deadline))
            timeout = Int32(clamping: (left.microseconds + 999) / 1000)
        }
        return withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events in
            let count = epoll_wait(poller.number, events.baseAddress, Int32(events.count), timeout)
            guard count > 0 else { return [] }
            let readable = EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue
            return events[..<Int(count)].map { ($0.data.u64, $0.events & readable != 0) }
        }
    }
}
