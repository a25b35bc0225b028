// SPDX-License-Identifier: Apache-2.0

import Logging
import Metrics
import Model

/// The thread that starts runners, reads their frames and starts the next one.
extension PluginRunnerClient {
    private static let firstBackoff: Duration = .milliseconds(50)
    private static let lastBackoff: Duration = .seconds(5)
    /// A runner that served this long starts the backoff anew.
    private static let steady: Duration = .seconds(30)
    private static let startLimit: Duration = .seconds(120)

    /// Starts the supervisor unless it runs.
    func supervise() {
        let starts = state.update { state in
            guard !state.isSupervised, !state.isStopping else { return false }
            state.isSupervised = true
            return true
        }
        guard starts, !OwnThread.start("trove-runner", { [self] in loop() }) else { return }
        state.update { $0.isSupervised = false }
        fail("no thread for the plugin runner")
    }

    private func loop() {
        var backoff = Self.firstBackoff
        while !state.update(\.isStopping) {
            let began = ContinuousClock.now
            serveOnce()
            if ContinuousClock.now - began >= Self.steady { backoff = Self.firstBackoff }
            let stops: Bool? = state.wait(until: .now + backoff) { $0.isStopping ? true : nil }
            if stops == true { break }
            backoff = min(backoff * 2, Self.lastBackoff)
        }
        fail("the plugin runner was shut down")
        let enders = state.update { state in
            state.isSupervised = false
            return state.enders
        }
        for ender in enders { ender() }
    }

    /// One runner from start to end.
    private func serveOnce() {
        let runner: RunnerProcess
        switch RunnerProcess.start(command) {
        case .success(let started): runner = started
        case .failure(let failure):
            configuration.logger.error(
                "plugin runner cannot be started", metadata: ["error.message": "\(failure.message)"])
            fail("the plugin runner cannot be started: \(failure.message)")
            return
        }
        let excluded = state.update { state in
            state.channel = runner.channel
            return state.isStopping ? nil : Set(state.calls.excluded.keys.map(\.description))
        }
        if let excluded {
            runner.channel.send(RunnerFrame.configure(configuration, excluding: excluded))
        } else {
            runner.channel.close()
        }
        let process = runner.process
        let limit = Watchdog.shared.schedule(at: .now + Self.startLimit) { process.signalGroup(9) }
        var isReady = false
        while let frame = runner.channel.receive() {
            if frame["type"]?.stringValue == "ready" {
                isReady = true
                Watchdog.shared.cancel(limit)
                ready(frame, pid: runner.process.pid)
            } else {
                take(frame, from: runner.channel)
            }
        }
        Watchdog.shared.cancel(limit)
        let end = runner.finish(within: configuration.cancellationGrace + .seconds(2), wasReady: isReady)
        ended(end)
    }

    private func ready(_ frame: JSONValue, pid: Int32) {
        let (waiters, refusals) = state.update { state in
            state.calls.ready(frame)
            defer { state.waiters = [:] }
            return (Array(state.waiters.values), state.calls.refusals)
        }
        for refusal in refusals {
            Counter(label: "trove.plugin.refusals", dimensions: [("cause", refusal.cause.rawValue)]).increment()
        }
        configuration.logger.notice("plugin runner is ready", metadata: ["process.pid": "\(pid)"])
        for waiter in waiters { waiter(.success(())) }
        flush()
    }

    private func take(_ frame: JSONValue, from channel: FrameChannel) {
        guard let id = frame["id"]?.intValue else { return }
        switch frame["type"]?.stringValue {
        case "reply": answer(id, RunnerFrame.result(frame))
        case "progress":
            let report = state.update { $0.calls.calls[id]?.options.onProgress }
            report?(frame["permille"]?.intValue ?? -1, frame["message"]?.stringValue ?? "")
        case "control": control(id, frame, channel)
        case "service": service(id, frame, channel)
        case "statistics": take(statistics: frame)
        default: break
        }
    }

    /// Runs a control operation with the identity of the call that asks for it.
    private func control(_ id: Int, _ frame: JSONValue, _ channel: FrameChannel) {
        let callID = frame["call"]?.intValue ?? -1
        let call = state.update { $0.calls.calls[callID] }
        guard let call, let handler = call.control else {
            let error = PluginError(.preconditionFailed, "no request is being served for this operation")
            channel.send(RunnerFrame.reply(id, .failure(error), type: "service_reply"))
            return
        }
        let operation = frame["operation"]?.stringValue ?? ""
        let request = frame["request"] ?? .null
        let context = call.options.context
        // Of its own, as the thread that reads frames cannot wait for it; cancelled when its call is answered.
        let task = Task {
            let result: Result<JSONValue, PluginError>
            do throws(PluginError) {
                result = .success(try await handler.perform(operation, request, context: context))
            } catch {
                result = .failure(error)
            }
            if !channel.send(RunnerFrame.reply(id, result, type: "service_reply")) {
                let error = PluginError(.exhausted, "the answer is too large for the plugin runner")
                channel.send(RunnerFrame.reply(id, .failure(error), type: "service_reply"))
            }
        }
        state.update { $0.calls.attach(task, to: callID) }
    }

    private func ended(_ end: RunnerEnd) {
        let (failed, isStopping) = state.update { state in
            state.channel = nil
            return (state.calls.ended(end), state.isStopping)
        }
        // Before the callers hear of it: who asks again finds the fault counted.
        if let plugin = end.plugin {
            Counter(label: "trove_plugin_crashes_total", dimensions: [("plugin", plugin.id)]).increment()
            onFault(plugin, end.reason)
        }
        for (call, error) in failed { Self.answer(call, .failure(error)) }
        guard !isStopping else { return }
        configuration.logger.error(
            "plugin runner ended",
            metadata: [
                "plugin.id": "\(end.plugin?.description ?? "")", "process.end": "\(end.reason)",
                "plugin.failed_calls": "\(failed.count)",
            ])
    }

    /// Answers everybody who waits.
    private func fail(_ message: String) {
        let (calls, waiters) = state.update { state in
            defer { state.waiters = [:] }
            return (state.calls.takeAll(), Array(state.waiters.values))
        }
        for call in calls {
            Self.answer(call, .failure(PluginError(.unavailable, pluginID: call.pluginID, message)))
        }
        for waiter in waiters { waiter(.failure(PluginError(.unavailable, message))) }
    }
}
