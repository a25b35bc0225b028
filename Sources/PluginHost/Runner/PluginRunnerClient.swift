// SPDX-License-Identifier: Apache-2.0

import Logging
package import Model

/// Runs the control plane's half of the plugins in a child process, and brings it back when it dies.
///
/// A trap fails the calls in the plugin that trapped; policy calls of others are asked again of the next runner.
package final class PluginRunnerClient: ControlPlugins {
    let configuration: PluginHostConfiguration
    let command: [String]
    let onFault: @Sendable (PluginReference, String) -> Void
    let services: (any WorkerServices)?
    let statisticsInbox = StatisticsInbox()
    let state = ConditionLock(RunnerClientState())

    /// - Parameters:
    ///   - command: Program (an absolute path) and arguments of a process that calls `PluginRunner.main(fd: 3, …)`.
    ///   - configuration: Handed to it as the first frame; the role is always `control`.
    ///   - services: What plugins get of this process.
    ///   - onFault: Told of each trap in a plugin, with how the runner ended; return at once.
    package init(
        command: [String], configuration: PluginHostConfiguration, services: (any WorkerServices)? = nil,
        onFault: @Sendable @escaping (PluginReference, String) -> Void = { _, _ in }
    ) {
        self.command = command
        self.onFault = onFault
        self.services = services
        self.configuration = configuration
    }

    /// Starts the runner and waits until it serves. The first call does so too.
    ///
    /// - Throws: `unavailable` when it cannot be started, or was shut down; `timedOut`.
    package func start(deadline: Deadline) async throws(PluginError) {
        let result = await withCheckedContinuation { (waiter: CheckedContinuation<Result<Void, PluginError>, Never>) in
            let (id, isReady) = state.update { state in
                state.nextWaiter += 1
                guard !state.calls.isReady else { return (state.nextWaiter, true) }
                state.waiters[state.nextWaiter] = { waiter.resume(returning: $0) }
                return (state.nextWaiter, false)
            }
            guard !isReady else { return waiter.resume(returning: .success(())) }
            _ = Watchdog.shared.schedule(at: deadline.instant) { [self] in
                let expired = state.update { $0.waiters.removeValue(forKey: id) }
                expired?(.failure(PluginError(.timedOut, "the plugin runner is not ready before the deadline")))
            }
            supervise()
        }
        try result.get()
    }

    /// Ends the runner, lets its plugins finish, and answers what still waits with `unavailable`.
    package func shutdown() async {
        await withCheckedContinuation { (ended: CheckedContinuation<Void, Never>) in
            let (channel, waits) = state.update { state in
                state.isStopping = true
                guard state.isSupervised else { return (state.channel, false) }
                state.enders.append { ended.resume() }
                return (state.channel, true)
            }
            channel?.close()
            if !waits { ended.resume() }
        }
    }

    package var refusals: [PluginRefusal] { get async { state.update(\.calls.refusals) } }
    package var plugins: [PluginDescription] { get async { state.update(\.calls.plugins) } }
    package var routes: [PluginRoute] { get async { state.update(\.calls.routes) } }

    /// Plugins of the runner that serves or served last, without waiting.
    package var known: [PluginDescription] { state.update(\.calls.plugins) }
    /// Calls of a plugin that wait for an answer; nil: of all.
    package func inFlight(_ plugin: PluginReference?) -> Int {
        state.update { state in plugin.map(state.calls.inFlight) ?? state.calls.calls.count }
    }

    package func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        try await call(
            .policy, PluginReference(reference),
            ["plugin": .string(reference), "function": .string(function.rawValue)], request, options, nil)
    }

    package func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue {
        let plugin = route.plugin
        return try await call(
            .route, plugin, ["plugin": .string(plugin.description), "index": .int(Int64(route.index))], request,
            options, control)
    }

    package func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions,
        control: any ControlHandler
    ) async throws(PluginError) -> ActionResult {
        ActionResult(
            json: try await call(
                .action, PluginReference(reference), ["plugin": .string(reference), "action": .string(name)],
                arguments, options, control))
    }

    func call(
        _ kind: RunnerCall.Kind, _ plugin: PluginReference, _ target: [String: JSONValue], _ request: JSONValue,
        _ options: CallOptions, _ control: (any ControlHandler)?
    ) async throws(PluginError) -> JSONValue {
        let pluginID = plugin.id
        guard !options.deadline.isPast else {
            throw PluginError(.timedOut, pluginID: pluginID, "the deadline is past")
        }
        let refusal = state.update { state in
            state.isStopping
                ? PluginError(.unavailable, pluginID: pluginID, "the plugin runner was shut down")
                : state.calls.refusal(plugin)
        }
        if let refusal { throw refusal }
        let ticket = Left<Int>()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: CheckedContinuation<Result<JSONValue, PluginError>, Never>) in
                let call = RunnerCall(
                    kind: kind, plugin: plugin, target: target, request: request, options: options,
                    control: control, answer: { waiter.resume(returning: $0) })
                let id = state.update { $0.calls.add(call) }
                ticket.value = id
                watch(id, at: options.deadline.instant)
                if Task.isCancelled { cancel(id) }
                supervise()
                flush()
            }
        } onCancel: {
            if let id = ticket.value { cancel(id) }
        }
        return try result.get()
    }

    /// Hands waiting calls to the runner. A frame that does not fit is an answer.
    func flush() {
        let (channel, frames) = state.update { state in
            (state.channel, state.channel == nil ? [] : state.calls.takeUnsent())
        }
        for frame in frames {
            guard let id = frame["id"]?.intValue, channel?.send(frame) != true, channel?.isOpen == true else {
                continue
            }
            answer(id, .failure(PluginError(.exhausted, "the request does not fit the plugin runner's queue")))
        }
    }

    func answer(_ id: Int, _ result: Result<JSONValue, PluginError>) {
        guard let call = state.update({ $0.calls.remove(id) }) else { return }
        Self.answer(call, result)
    }

    static func answer(_ call: RunnerCall, _ result: Result<JSONValue, PluginError>) {
        if let timer = call.timer { Watchdog.shared.cancel(timer) }
        for operation in call.operations { operation.cancel() }
        call.answer(result)
    }

    private func watch(_ id: Int, at instant: ContinuousClock.Instant) {
        let timer = Watchdog.shared.schedule(at: instant) { [self] in stop(id, .timedOut) }
        if !state.update({ $0.calls.setTimer(timer, for: id) }) { Watchdog.shared.cancel(timer) }
    }

    private func cancel(_ id: Int) { stop(id, .cancelled) }

    /// Asks for an end: at once without the runner, else the runner answers within its grace period.
    private func stop(_ id: Int, _ code: PluginError.Code) {
        let (isSent, channel, pluginID) = state.update { state in
            (state.calls.calls[id]?.isSent, state.channel, state.calls.calls[id]?.pluginID ?? "")
        }
        guard let isSent else { return }
        let error = PluginError(
            code, pluginID: pluginID,
            code == .cancelled ? "the call was cancelled" : "the call did not end before its deadline")
        guard isSent else { return answer(id, .failure(error)) }
        if code == .cancelled { channel?.send(.object(["type": "cancel", "id": .int(Int64(id))])) }
        let timer = Watchdog.shared.schedule(at: .now + configuration.cancellationGrace + .seconds(1)) { [self] in
            answer(id, .failure(PluginError(.timedOut, pluginID: pluginID, "the plugin runner does not answer")))
        }
        if !state.update({ $0.calls.setTimer(timer, for: id) }) { Watchdog.shared.cancel(timer) }
    }
}

/// What the client's threads and callers share.
struct RunnerClientState {
    var calls = RunnerCalls()
    var channel: FrameChannel?
    var isSupervised = false
    var isStopping = false
    var waiters: [Int: @Sendable (Result<Void, PluginError>) -> Void] = [:]
    var nextWaiter = 0
    /// Run when the supervisor has ended.
    var enders: [@Sendable () -> Void] = []
}
