// SPDX-License-Identifier: Apache-2.0

/// Where what blocks is run: files of keys, and exchanges with a key manager.
package protocol BlockingThreads: Sendable {
    /// Runs `body` on a thread that is none of Swift's cooperative pool.
    func run<Value: Sendable>(_ body: @Sendable @escaping () -> Value) async -> Value
}
