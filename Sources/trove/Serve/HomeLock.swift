// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The lock that makes one control plane a home's only one.
enum HomeLock {
    /// Takes the lock, waiting for a predecessor that is still stopping.
    ///
    /// - Returns: The descriptor that holds it; the lock lives as long as any process has it open.
    static func take(_ home: Home, patienceSeconds: Int = 15) throws -> Int32 {
        let descriptor = try lock(home, LOCK_EX, patienceSeconds)
        write(LockHolder.own, to: descriptor)
        return descriptor
    }

    /// Takes the lock together with any number of others that take it so, until this process ends.
    static func share(_ home: Home) throws { _ = try lock(home, LOCK_SH, 15) }

    private static func lock(_ home: Home, _ kind: Int32, _ patienceSeconds: Int) throws -> Int32 {
        let descriptor = open(home.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StartError("cannot open \(home.lock): \(String(cString: strerror(errno)))")
        }
        for attempt in 0..<(patienceSeconds * 50) {
            if flock(descriptor, kind | LOCK_NB) == 0 { return descriptor }
            if attempt == 50 {
                Output.error("another control plane serves \(home.path); waiting \(patienceSeconds) s for it to stop")
            }
            usleep(20_000)
        }
        close(descriptor)
        throw StartError("another control plane serves \(home.path); stop it first, or choose another TROVE_HOME")
    }

    /// Who holds the lock; nil when nobody does.
    static func holder(_ home: Home) -> LockHolder? {
        let descriptor = open(home.lock, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // Shared, so that two who ask do not see each other.
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return nil }
        return Files.contents(home.lock, limit: 256).flatMap { LockHolder(String(decoding: $0, as: UTF8.self)) }
    }

    static func write(_ holder: LockHolder?, to descriptor: Int32) {
        let bytes = Array((holder?.text ?? "").utf8)
        guard ftruncate(descriptor, 0) == 0 else { return }
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }
}

/// The process that serves a home, named so that it cannot be mistaken for a later one with its number.
struct LockHolder: Sendable, Hashable {
    var pid: pid_t
    /// Clock ticks since boot.
    var startTime: UInt64

    static var own: LockHolder? {
        var startTime: UInt64 = 0
        var state: CChar = 0
        guard clinux_process_stat(getpid(), &startTime, &state) == 0 else { return nil }
        return LockHolder(pid: getpid(), startTime: startTime)
    }

    var text: String { "\(pid) \(startTime)\n" }

    init(pid: pid_t, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    init?(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let pid = pid_t(words[0]), let startTime = UInt64(words[1]), pid > 1 else { return nil }
        self.init(pid: pid, startTime: startTime)
    }

    /// Sends a signal to this very process.
    ///
    /// - Returns: 0, ESRCH when it has ended, or another errno.
    func send(_ signal: Int32) -> Int32 {
        let pidfd = clinux_pidfd_open(pid)
        guard pidfd >= 0 else { return -pidfd }
        defer { close(pidfd) }
        var found: UInt64 = 0
        var state: CChar = 0
        guard clinux_process_stat(pid, &found, &state) == 0, found == startTime else { return ESRCH }
        return clinux_pidfd_signal(pidfd, signal)
    }
}
