// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Keeps a second agent of the same instance from running; held until this is released.
///
/// Source: flock(2). The lock belongs to the open file, so the kernel gives it back however the process ends.
package final class AgentLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `.busy` when another agent lives, `.storage` when the file cannot be made.
    package init(stateDirectory: String) throws(GuestAgentError) {
        let path = stateDirectory + "/agent.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileAccess.failure("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            guard reason == EWOULDBLOCK else { throw FileAccess.failure("lock", path, reason) }
            throw GuestAgentError(.busy, "another agent holds '\(path)'")
        }
        ftruncate(descriptor, 0)
        _ = FileAccess.writeAll(Array("\(getpid())\n".utf8), to: descriptor)
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}
