// SPDX-License-Identifier: Apache-2.0

#if TROVE_TSAN
    import Glibc

    /// Takes the place of the standard library's `Mutex` in this room under the thread sanitizer, which does not see the
    /// locks of a library that was built without it and would report everything that they guard. `scripts/tsan` defines
    /// `TROVE_TSAN`; no other build has this.
    ///
    /// Unchecked: `mutex` guards `value`, and both live at fixed addresses until deinit.
    final class Mutex<Value>: @unchecked Sendable {
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>
        private let value: UnsafeMutablePointer<Value>

        init(_ value: sending Value) {
            mutex = .allocate(capacity: 1)
            pthread_mutex_init(mutex, nil)
            self.value = .allocate(capacity: 1)
            self.value.initialize(to: value)
        }

        deinit {
            pthread_mutex_destroy(mutex)
            mutex.deallocate()
            value.deinitialize(count: 1)
            value.deallocate()
        }

        func withLock<Result, Failure: Error>(
            _ body: (inout Value) throws(Failure) -> Result
        ) throws(Failure) -> Result {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return try body(&value.pointee)
        }
    }
#endif
