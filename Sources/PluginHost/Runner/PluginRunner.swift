// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
package import Logging
import Model
import Synchronization

/// The process that maps the control plane's half of the plugins.
package enum PluginRunner {
    /// Serves the worker at the other end of a socket until it goes away. Blocks; for the main thread of a process that
    /// does nothing else.
    ///
    /// - Parameters:
    ///   - fd: The socket; the pipe for reports of fatal signals is the next number, if it is open. The first frame is
    ///     the configuration.
    ///   - logger: Writes to standard error, which is the worker's.
    /// - Returns: The process's exit status: 0 after a clean end, 1 without a configuration.
    package static func main(fd: Int32, logger: Logger) -> Int32 {
        let faultFD = fcntl(fd + 1, F_GETFD) >= 0 ? fd + 1 : -1
        for descriptor in [fd, faultFD] where descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        _ = clinux_fault_install(faultFD)
        _ = clinux_fault_thread_begin()
        let channel = FrameChannel(fd)
        guard let frame = channel.receive(), frame["type"]?.stringValue == "configure" else {
            logger.error("plugin runner got no configuration")
            return 1
        }
        let registry = PluginRegistry(configuration: RunnerFrame.configuration(frame, logger: logger))
        do throws(PluginError) { try registry.load() } catch {
            logger.error("plugin runner cannot load plugins", metadata: ["error.message": "\(error.message)"])
            return 1
        }
        channel.send(RunnerFrame.ready(registry))
        let server = RunnerServer(channel: channel, calls: ControlCalls(registry: registry))
        while let frame = channel.receive() { server.handle(frame) }
        server.cancelAll()
        registry.shutdown()
        return 0
    }
}

/// Runs the calls that come over the socket.
private final class RunnerServer: Sendable {
    private let channel: FrameChannel
    private let calls: ControlCalls
    private let control: ControlLink
    private let tasks = Mutex<[Int: Task<Void, Never>]>([:])

    init(channel: FrameChannel, calls: ControlCalls) {
        self.channel = channel
        self.calls = calls
        control = ControlLink(channel: channel)
    }

    func handle(_ frame: JSONValue) {
        guard let id = frame["id"]?.intValue else { return }
        switch frame["type"]?.stringValue {
        case "policy", "route": start(id, frame)
        case "cancel": tasks.withLock { $0[id] }?.cancel()
        case "control_reply": control.deliver(id, RunnerFrame.result(frame))
        default: break
        }
    }

    func cancelAll() {
        control.close()
        for task in tasks.withLock({ Array($0.values) }) { task.cancel() }
    }

    private func start(_ id: Int, _ frame: JSONValue) {
        // Under the lock, so that the task cannot end before it is in the table.
        tasks.withLock { tasks in
            tasks[id] = Task { [self] in
                let result = await run(id, frame)
                if !channel.send(RunnerFrame.reply(id, result)) {
                    channel.send(
                        RunnerFrame.reply(id, .failure(PluginError(.exhausted, "the answer is too large to hand on"))))
                }
                _ = self.tasks.withLock { $0.removeValue(forKey: id) }
            }
        }
    }

    private func run(_ id: Int, _ frame: JSONValue) async -> Result<JSONValue, PluginError> {
        let options = RunnerFrame.options(frame) { [channel] permille, message in
            channel.send(
                .object([
                    "type": "progress", "id": .int(Int64(id)), "permille": .int(Int64(permille)),
                    "message": .string(message),
                ]))
        }
        let plugin = frame["plugin"]?.stringValue ?? ""
        let request = frame["request"] ?? .null
        do throws(PluginError) {
            if frame["type"]?.stringValue == "route" {
                return .success(
                    try await calls.handle(
                        plugin, index: frame["index"]?.intValue ?? -1, request, options,
                        control: control.bound(to: id)))
            }
            guard let function = frame["function"]?.stringValue.flatMap(PolicyFunction.init(rawValue:)) else {
                return .failure(PluginError(.unsupported, pluginID: plugin, "the runner does not know this function"))
            }
            return .success(try await calls.policy(plugin, function, request, options))
        } catch {
            return .failure(error)
        }
    }
}

/// Sends plugins' control requests to the worker.
private final class ControlLink: Sendable {
    private struct State {
        var nextID = 1
        var answers: [Int: Result<JSONValue, PluginError>?] = [:]
        var isClosed = false
    }

    private let channel: FrameChannel
    private let state = ConditionLock(State())

    init(channel: FrameChannel) { self.channel = channel }

    struct Bound: ControlBridge {
        let link: ControlLink
        let callID: Int

        func perform(
            _ operation: String, _ request: JSONValue, for call: PluginCall
        ) -> Result<JSONValue, PluginError> { link.perform(operation, request, callID, call) }
    }

    func bound(to callID: Int) -> Bound { Bound(link: self, callID: callID) }

    func deliver(_ id: Int, _ result: Result<JSONValue, PluginError>) {
        state.update { state in
            if state.answers[id] != nil { state.answers[id] = .some(result) }
        }
    }

    /// The worker is gone.
    func close() { state.update { $0.isClosed = true } }

    private func perform(
        _ operation: String, _ request: JSONValue, _ callID: Int, _ call: PluginCall
    ) -> Result<JSONValue, PluginError> {
        let id = state.update { state in
            defer { state.nextID += 1 }
            state.answers[state.nextID] = .some(nil)
            return state.nextID
        }
        defer { state.update { $0.answers[id] = nil } }
        call.state.withLock { $0.whenStopped = { [weak self] in self?.state.update { _ in } } }
        let isSent = channel.send(
            .object([
                "type": "control", "id": .int(Int64(id)), "call": .int(Int64(callID)), "operation": .string(operation),
                "request": request,
            ]))
        guard isSent else { return .failure(PluginError(.unavailable, "the control plane does not listen")) }
        let answer: Result<JSONValue, PluginError>? = state.wait(until: call.options.deadline.instant) { state in
            if let answer = state.answers[id] ?? nil { return answer }
            if state.isClosed { return .failure(PluginError(.unavailable, "the control plane is gone")) }
            if call.isCancelled { return .failure(PluginError(.cancelled, "\(operation) was cancelled")) }
            return nil
        }
        return answer ?? .failure(PluginError(.timedOut, "\(operation) did not end before the deadline"))
    }
}
