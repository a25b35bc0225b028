// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Whether a pipeline is to stop: asked of the caller's closure, or set when the calling task is cancelled.
final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)
    private let question: @Sendable () -> Bool

    init(_ question: @escaping @Sendable () -> Bool) { self.question = question }

    func cancel() { flag.store(true, ordering: .relaxed) }

    /// - Throws: `.cancelled`.
    func check() throws(ObjectStoreError) {
        if flag.load(ordering: .relaxed) || question() {
            throw ObjectStoreError(.cancelled, "The backup stream was cancelled.")
        }
    }
}
