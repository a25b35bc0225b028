// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// One worker as its parent sees it.
final class WorkerProcess {
    /// Descriptors as the worker finds them.
    enum Descriptor {
        static let listener: Int32 = 3
        static let lifeline: Int32 = 4
        static let lock: Int32 = 5
    }

    /// What becomes of the worker's messages and its end.
    enum News { case ready, ended(code: Int32, signal: Int32) }

    /// Place among the workers of its parent; two have the same while one takes over from the other.
    let slot: Int
    let pidfd: Int32
    /// The parent's end: readable when the worker says that it is ready, closed when the parent ends.
    let lifeline: Int32
    private(set) var isReady = false
    private(set) var isLeaving = false
    /// When it is ended by force, in milliseconds of the monotonic clock.
    private(set) var killAt = Int64.max
    /// A worker that does not serve yet does not listen for it either.
    private var owesHangup = false

    /// How long a worker may take to stop.
    private static let stopLimit: Int64 = 45_000

    init(slot: Int, arguments: [String], listener: Int32, lock: Int32) throws {
        var pair: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            throw StartError("cannot make a socket pair: \(String(cString: strerror(errno)))")
        }
        defer { close(pair[1]) }
        var pid: pid_t = 0
        var pidfd: Int32 = -1
        let code = Self.spawn(arguments, extra: [listener, pair[1], lock], pid: &pid, pidfd: &pidfd)
        guard code == 0 else {
            close(pair[0])
            throw StartError("cannot start \(arguments[0]): \(String(cString: strerror(code)))")
        }
        self.slot = slot
        self.pidfd = pidfd
        lifeline = pair[0]
    }

    deinit {
        close(lifeline)
        close(pidfd)
    }

    func hangup() {
        if isReady { clinux_pidfd_signal(pidfd, SIGHUP) } else { owesHangup = true }
    }

    /// Asks it to stop; a second time ends it.
    func stop(now: Int64) {
        killAt = isLeaving ? now : now + Self.stopLimit
        if !isLeaving { clinux_pidfd_signal(pidfd, SIGTERM) }
        isLeaving = true
    }

    /// Ends it when it has had its time.
    func endIfDue(now: Int64) {
        guard now >= killAt else { return }
        Output.error("the worker does not stop; ending it")
        clinux_pidfd_signal(pidfd, SIGKILL)
        killAt = .max
    }

    /// Reads what `poll` found.
    func news(lifelineEvents: Int16, processEvents: Int16) -> News? {
        var mayHaveEnded = processEvents != 0
        var isNew = false
        if lifelineEvents != 0, !isReady {
            var byte: UInt8 = 0
            isReady = read(lifeline, &byte, 1) == 1
            isNew = isReady
            if isReady, owesHangup { clinux_pidfd_signal(pidfd, SIGHUP) }
            if !isReady { mayHaveEnded = true }
        }
        if mayHaveEnded {
            var status: Int32 = 0
            if clinux_pidfd_wait(pidfd, isReady ? 0 : 2000, &status) == 0 {
                return .ended(code: clinux_exit_code(status), signal: clinux_term_signal(status))
            }
        }
        return isNew ? .ready : nil
    }

    private static func spawn(_ arguments: [String], extra: [Int32], pid: inout pid_t, pidfd: inout Int32) -> Int32 {
        var options = clinux_spawn()
        options.stdin_fd = -1
        options.stdout_fd = STDOUT_FILENO
        options.stderr_fd = STDERR_FILENO
        options.extra_count = extra.count
        options.umask = 0o077
        var argv = arguments.map { UnsafePointer(strdup($0)) } + [nil]
        defer { for pointer in argv { free(UnsafeMutableRawPointer(mutating: pointer)) } }
        let working = Array(Files.currentDirectory.utf8CString)
        return argv.withUnsafeMutableBufferPointer { argv in
            extra.withUnsafeBufferPointer { extra in
                working.withUnsafeBufferPointer { working in
                    options.argv = UnsafePointer(argv.baseAddress)
                    options.extra_fds = extra.baseAddress
                    options.directory = working.baseAddress
                    return environ.withMemoryRebound(to: UnsafePointer<CChar>?.self, capacity: 1) { environment in
                        options.envp = UnsafePointer(environment)
                        return clinux_spawn_process(&options, &pid, &pidfd)
                    }
                }
            }
        }
    }
}
