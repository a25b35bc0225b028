// SPDX-License-Identifier: Apache-2.0

package import Model

/// What the runner asks of the worker, and statistics.
extension PluginRunnerClient {
    /// Runs a service for a plugin, on a task of its own: the thread that reads frames cannot wait for it. Cancelled when
    /// the call on whose behalf it runs is answered.
    func service(_ id: Int, _ frame: JSONValue, _ channel: FrameChannel) {
        let callID = frame["call"]?.intValue ?? -1
        let call = state.update { $0.calls.calls[callID] }
        guard let call, let services else {
            let error =
                services == nil
                ? ServiceCall.absent("services")
                : PluginError(.preconditionFailed, "the call that asks for it is over")
            channel.send(RunnerFrame.reply(id, .failure(error), type: "service_reply"))
            return
        }
        let operation = frame["operation"]?.stringValue ?? ""
        let request = frame["request"] ?? .null
        // Who asks is who was called, whatever the frame says.
        let (plugin, context) = (call.plugin.id, call.options.context)
        let task = Task {
            let result: Result<JSONValue, PluginError>
            do throws(PluginError) {
                result = .success(
                    try await services.perform(operation, request, of: plugin, context: context))
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

    func take(statistics frame: JSONValue) {
        statisticsInbox.take((frame["plugins"]?.arrayValue ?? []).map(PluginStatistics.init(json:)))
    }

    package var statistics: [PluginStatistics] {
        get async {
            guard let channel = state.update({ $0.calls.isReady ? $0.channel : nil }) else {
                return statisticsInbox.latest
            }
            return await statisticsInbox.next {
                channel.send(.object(["type": "statistics", "id": 0]))
            }
        }
    }

    package func peer(
        _ reference: String, _ message: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        try await call(
            .peer, PluginReference(reference), ["plugin": .string(reference)], message, options, nil)
    }
}

/// The runner's newest statistics, and who waits for the next.
final class StatisticsInbox: Sendable {
    private struct State {
        var latest: [PluginStatistics] = []
        var waiters: [Int: @Sendable ([PluginStatistics]) -> Void] = [:]
        var nextWaiter = 0
    }

    private static let patience: Duration = .seconds(1)
    private let state = ConditionLock(State())

    /// Of the runner that answered last.
    var latest: [PluginStatistics] { state.update(\.latest) }

    func take(_ statistics: [PluginStatistics]) {
        let waiters = state.update { state in
            state.latest = statistics
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter(statistics) }
    }

    /// What comes after `ask`; the newest that there is when nothing comes within a second.
    func next(_ ask: () -> Void) async -> [PluginStatistics] {
        await withCheckedContinuation { continuation in
            let id = state.update { state in
                state.nextWaiter += 1
                state.waiters[state.nextWaiter] = { continuation.resume(returning: $0) }
                return state.nextWaiter
            }
            _ = Watchdog.shared.schedule(at: .now + Self.patience) { [self] in
                let (waiter, latest) = state.update { ($0.waiters.removeValue(forKey: id), $0.latest) }
                waiter?(latest)
            }
            ask()
        }
    }
}
