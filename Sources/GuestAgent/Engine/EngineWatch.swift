// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Watches one process on a thread of its own: what it says, whether it answers, and its end.
final class EngineWatch: Sendable {
    enum Event: Sendable {
        case message(NotifySocket.Message)
        /// The port accepts connections; told once.
        case accepts
        /// A wait status as of waitpid(2), -1 when unknown. The last event.
        case exited(Int32)
    }

    /// Whether the engine's port is tried until it answers.
    enum Probe: Sendable {
        case none
        case tcp(address: String, port: Int)
    }

    private let process: EngineProcess
    private let socket: NotifySocket
    private let wakeUp: Int32

    private init(process: EngineProcess, socket: NotifySocket, wakeUp: Int32) {
        self.process = process
        self.socket = socket
        self.wakeUp = wakeUp
    }

    deinit { close(wakeUp) }

    /// Starts to watch.
    ///
    /// - Parameter onEvent: Called on the watch's thread; returns at once.
    /// - Throws: `.busy` when the system has no thread or descriptor left.
    static func start(
        process: EngineProcess, socket: NotifySocket, probe: Probe, onEvent: @escaping @Sendable (Event) -> Void
    ) throws(GuestAgentError) -> EngineWatch {
        let wakeUp = clinux_eventfd()
        guard wakeUp >= 0 else { throw GuestAgentError(.busy, "the system has no descriptor left to watch the engine") }
        let watch = EngineWatch(process: process, socket: socket, wakeUp: wakeUp)
        guard OwnThread.start("engine-watch", { watch.run(probe: probe, onEvent: onEvent) }) else {
            throw GuestAgentError(.busy, "the system has no thread left to watch the engine")
        }
        return watch
    }

    /// Ends the thread; the engine goes on.
    func stop() { _ = eventfd_write(wakeUp, 1) }

    private func run(probe: Probe, onEvent: @Sendable (Event) -> Void) {
        var isProbing = if case .tcp = probe { true } else { false }
        var pause: Int32 = 20
        while true {
            var entries = [
                pollfd(fd: process.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&entries, nfds_t(entries.count), isProbing ? pause : -1)
            guard count >= 0 || errno == EINTR else { return }
            if entries[2].revents != 0 { return }
            if entries[1].revents != 0 { for message in socket.receive() { onEvent(.message(message)) } }
            if entries[0].revents != 0 { return onEvent(.exited(reap())) }
            guard isProbing, case .tcp(let address, let port) = probe else { continue }
            if SocketAddress.accepts(address, port: port, timeout: 200) {
                isProbing = false
                onEvent(.accepts)
            }
            pause = min(pause * 2, 250)
        }
    }

    private func reap() -> Int32 {
        var status: Int32 = -1
        return clinux_pidfd_wait(process.descriptor, 1000, &status) == 0 ? status : -1
    }
}
