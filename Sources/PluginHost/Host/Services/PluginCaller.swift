// SPDX-License-Identifier: Apache-2.0

package import Model

/// The plugin's call on whose behalf a service works.
package struct PluginCaller: Sendable {
    let call: PluginCall

    init(_ call: PluginCall) { self.call = call }

    package var pluginID: String { call.host.id }
    /// On whose behalf; without a request id outside of requests.
    package var context: RequestContext { call.options.context }
    package var instanceID: String? { call.options.instanceID }
    package var deadline: Deadline { call.options.deadline }
    /// Whether the call was asked to stop.
    package var isStopped: Bool { call.isCancelled }

    /// Runs asynchronous work and blocks the plugin's thread until it is done or the call is asked to stop, which
    /// cancels it. Never on Swift's cooperative pool.
    ///
    /// - Parameter what: For the message of an end before its time.
    package func wait<Value: Sendable>(
        _ what: String, _ work: @escaping @Sendable () async throws(PluginError) -> Value
    ) throws(PluginError) -> Value {
        let answer = ConditionLock<Result<Value, PluginError>?>(nil)
        let task = Task {
            let result: Result<Value, PluginError>
            do throws(PluginError) { result = .success(try await work()) } catch { result = .failure(error) }
            answer.update { $0 = result }
        }
        let watch = call.onStop { answer.update { _ in } }
        defer { call.forget(watch) }
        let result: Result<Value, PluginError>? = answer.wait(until: deadline.instant) { answer in
            answer ?? (call.isCancelled ? .failure(PluginError(.cancelled, "\(what) was stopped")) : nil)
        }
        task.cancel()
        guard let result else { throw PluginError(.timedOut, "\(what) did not end before the deadline") }
        return try result.get()
    }
}
