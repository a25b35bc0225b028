// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The lock that makes one control plane a home's only one.
enum HomeLock {
    /// Takes the lock, waiting for a predecessor that is still stopping.
    ///
    /// - Returns: The descriptor that holds it; the lock lives as long as any process has it open.
    static func take(_ home: Home, patienceSeconds: Int = 15) throws -> Int32 {
        let descriptor = open(home.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StartError("cannot open \(home.lock): \(String(cString: strerror(errno)))")
        }
        for attempt in 0..<(patienceSeconds * 50) {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
            if attempt == 50 {
                Output.error("another control plane serves \(home.path); waiting \(patienceSeconds) s for it to stop")
            }
            usleep(20_000)
        }
        close(descriptor)
        throw StartError("another control plane serves \(home.path); stop it first, or choose another TROVE_HOME")
    }
}
