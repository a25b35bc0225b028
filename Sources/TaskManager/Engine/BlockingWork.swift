// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Runs short file operations off the cooperative pool.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "trove.taskmanager.blocking", attributes: .concurrent)

    static func run<Value: Sendable>(_ body: @Sendable @escaping () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
