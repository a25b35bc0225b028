// SPDX-License-Identifier: Apache-2.0

/// Runs short blocking work on a thread of its own, so that the cooperative pool stays free.
enum BlockingCall {
    static func run<Value: Sendable>(_ body: @Sendable @escaping () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            // Without a thread, blocking here is better than not answering.
            guard Thread.detached({ continuation.resume(returning: body()) }) else {
                return continuation.resume(returning: body())
            }
        }
    }
}
