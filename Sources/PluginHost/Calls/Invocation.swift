// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Model

/// Runs plugin functions on worker threads for asynchronous callers.
struct Invocation: Sendable {
    let call: PluginCall
    let lane: Lane
    /// Runs the function; on a worker.
    let body: @Sendable (PluginCall, OpaquePointer?) -> trove_status
    /// Runs with the final status when the plugin is done, before memory of the call is freed. `isAbandoned`: nobody
    /// will see the result.
    var onEnd: (@Sendable (_ status: Int32, _ isAbandoned: Bool) -> Void)?

    init(
        _ call: PluginCall,
        on lane: Lane,
        onEnd: (@Sendable (_ status: Int32, _ isAbandoned: Bool) -> Void)? = nil,
        body: @escaping @Sendable (PluginCall, OpaquePointer?) -> trove_status
    ) {
        self.call = call
        self.lane = lane
        self.onEnd = onEnd
        self.body = body
    }

    /// Waits for the function without blocking a thread of the caller's.
    ///
    /// - Returns: What the plugin emitted.
    /// - Throws: What it reported; `cancelled`, `timedOut`; `exhausted` and `unavailable` before it ran.
    func perform() async throws(PluginError) -> [UInt8] {
        guard !call.options.deadline.isPast else {
            throw PluginError(.timedOut, pluginID: call.host.id, "\(call.function): the deadline is past")
        }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<PluginCall.Outcome, Never>) in
                call.expect(whenAbandoned: { lane.close() }) { continuation.resume(returning: $0) }
                lane.submit(Lane.Job(call: call) { run() })
            }
        } onCancel: {
            call.stop(.cancelled)
        }
        return try outcome.get()
    }

    private func run() {
        if let refusal = call.host.admit(call) {
            call.refuse(refusal.code, refusal.message)
            lane.finished()
            return
        }
        guard let token = CallTable.shared.insert(call) else {
            call.host.ended(call, wasAbandoned: false)
            call.refuse(.exhausted, "too many open calls")
            lane.finished()
            return
        }
        // The function may be over on another thread before it has returned here, so nothing below touches the token.
        guard call.begin({ finish(token, $0) }) else {
            CallTable.shared.remove(token)
            call.host.ended(call, wasAbandoned: false)
            lane.finished()
            return
        }
        call.host.recorder.began(call.function)
        let before = clinux_fault_enter(call.host.cID)
        let status = ThreadRole.run(.worker) { body(call, token.pointer) }
        _ = clinux_fault_enter(before)
        if let final = call.returned(status) { finish(token, final) }
    }

    private func finish(_ token: CallToken, _ status: Int32) {
        CallTable.shared.remove(token)
        let isAbandoned = call.close()
        onEnd?(status, isAbandoned)
        call.host.ended(call, wasAbandoned: isAbandoned)
        call.end(status)
        lane.finished()
    }
}
