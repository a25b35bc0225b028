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
    ///   - objects: Makes the plugins' object store below a directory.
    /// - Returns: The process's exit status: 0 after a clean end, 1 without a configuration.
    package static func main(
        fd: Int32, logger: Logger, objects: (_ directory: String) -> (any PluginObjectStore)? = { _ in nil }
    ) -> Int32 {
        let faultFD = fcntl(fd + 1, F_GETFD) >= 0 ? fd + 1 : -1
        for descriptor in [fd, faultFD] where descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        _ = clinux_fault_install(faultFD)
        _ = clinux_fault_thread_begin()
        let channel = FrameChannel(fd)
        guard let frame = channel.receive(), frame["type"]?.stringValue == "configure" else {
            logger.error("plugin runner got no configuration")
            return 1
        }
        let registry: PluginRegistry
        let link = ServiceLink(channel: channel)
        do throws(PluginError) {
            var configuration = try RunnerFrame.configuration(frame, logger: logger)
            configuration.services = PluginServices(
                values: link, objects: configuration.objectDirectory.flatMap(objects), peer: link)
            registry = PluginRegistry(configuration: configuration)
            try registry.load()
        } catch {
            logger.error("plugin runner cannot load plugins", metadata: ["error.message": "\(error.message)"])
            return 1
        }
        channel.send(RunnerFrame.ready(registry))
        let server = RunnerServer(channel: channel, calls: ControlCalls(registry: registry), link: link)
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
    private let link: ServiceLink
    private let tasks = Mutex<[Int: Task<Void, Never>]>([:])
    /// Statistics go out unasked after a call, at most once a second.
    private let pace = RateLimit(perSecond: 1, burst: 1)

    init(channel: FrameChannel, calls: ControlCalls, link: ServiceLink) {
        self.channel = channel
        self.calls = calls
        self.link = link
    }

    func handle(_ frame: JSONValue) {
        guard let id = frame["id"]?.intValue else { return }
        switch frame["type"]?.stringValue {
        case "policy", "route", "action", "peer": start(id, frame)
        case "cancel": tasks.withLock { $0[id] }?.cancel()
        case "service_reply": link.deliver(id, RunnerFrame.result(frame))
        case "statistics": sendStatistics()
        default: break
        }
    }

    func cancelAll() {
        link.close()
        for task in tasks.withLock({ Array($0.values) }) { task.cancel() }
    }

    private func sendStatistics() {
        channel.send(
            .object(["type": "statistics", "id": 0, "plugins": .array(calls.registry.statistics.map(\.json))]))
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
                if pace.take() { sendStatistics() }
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
                        control: link.control))
            }
            if frame["type"]?.stringValue == "peer" {
                return .success(try await calls.registry.peer(plugin, request, options))
            }
            if frame["type"]?.stringValue == "action" {
                let name = frame["action"]?.stringValue ?? ""
                return .success(
                    try await calls.registry.action(plugin, name, request, options, control: link.control).json)
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
