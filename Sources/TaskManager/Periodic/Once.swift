// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A continuation that several may resume; the first one does.
final class Once: Sendable {
    private let continuation: Mutex<CheckedContinuation<Void, Never>?>

    init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = Mutex(continuation) }

    func resume() {
        continuation.withLock { held -> CheckedContinuation<Void, Never>? in
            defer { held = nil }
            return held
        }?.resume()
    }
}
