// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A process and a handle on it that cannot come to mean another one. Whoever gets it closes the handle.
struct ProcessHandle: Sendable {
    var pid: pid_t
    var pidfd: Int32

    /// Gives the handle back; the process goes on.
    func close() { Glibc.close(pidfd) }
}

/// How to start a program, in Swift's terms.
struct ProcessLaunch: Sendable {
    var arguments: [String]
    var environment: [String: String]
    var directory = "/"
    /// Descriptors for standard output and error; -1: `/dev/null`.
    var output: Int32 = -1
    var error: Int32 = -1
    /// `cgroup.procs` files to join.
    var groups: [String] = []
    var isDetached = false

    /// Starts it; returns once it runs.
    func start() throws(ComputeError) -> ProcessHandle {
        guard let program = arguments.first else { throw ComputeError(.failed, "no program to start") }
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        for group in groups {
            let descriptor = open(group, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw HostFiles.failure("open", group, errno) }
            descriptors.append(descriptor)
        }
        var handle = ProcessHandle(pid: -1, pidfd: -1)
        let error = withStrings(arguments) { argv in
            withStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
                directory.withCString { directory in
                    descriptors.withUnsafeBufferPointer { groups in
                        var options = clinux_spawn()
                        options.argv = argv
                        options.envp = envp
                        options.directory = directory
                        options.stdin_fd = -1
                        options.stdout_fd = output
                        options.stderr_fd = self.error
                        options.cgroup_fds = groups.baseAddress
                        options.cgroup_count = groups.count
                        options.detach = isDetached ? 1 : 0
                        return clinux_spawn_process(&options, &handle.pid, &handle.pidfd)
                    }
                }
            }
        }
        guard error == 0 else { throw HostFiles.failure("start", program, error) }
        return handle
    }

    /// Runs a tool to its end; the error carries the first line it wrote to standard error.
    static func run(_ arguments: [String], timeout: Duration) throws(ComputeError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw HostFiles.failure("open", "a pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        defer { close(ends[0]) }
        let launch = ProcessLaunch(
            arguments: arguments, environment: ["LANG": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], error: ends[1])
        let started = Result { () throws(ComputeError) in try launch.start() }
        close(ends[1])
        let handle = try started.get()
        defer { close(handle.pidfd) }
        var status: Int32 = -1
        if clinux_pidfd_wait(handle.pidfd, timeout.milliseconds, &status) != 0 {
            _ = clinux_pidfd_signal(handle.pidfd, SIGKILL)
            _ = clinux_pidfd_wait(handle.pidfd, -1, &status)
            throw ComputeError(.timedOut, "\(arguments[0]) did not end within \(timeout)", isRetryable: true)
        }
        guard clinux_exit_code(status) == 0 else {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = max(0, read(ends[0], &buffer, buffer.count))
            let line = buffer[..<count].split(separator: UInt8(ascii: "\n")).first ?? []
            throw ComputeError(.failed, "\(arguments[0]) failed: \(String(decoding: line, as: UTF8.self))")
        }
    }

    private func withStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        var pointers = copies.map { $0.map { UnsafePointer($0) } }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { buffer in
            // An array with at least the final nil always has a base address.
            buffer.baseAddress.map(body) ?? withUnsafePointer(to: nil, body)
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, as poll(2) takes them.
    var milliseconds: Int32 {
        Int32(
            clamping: components.seconds * 1000 + (components.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        )
    }
}

/// Asks until `condition` holds or the time is over; sleeps from half a millisecond up to ten in between.
///
/// For kernel states that announce themselves nowhere. Only on threads of `BlockingPool`.
func poll(for timeout: Duration, until condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + timeout
    var pause: UInt32 = 500
    while !condition() {
        guard ContinuousClock.now < end else { return false }
        usleep(pause)
        pause = min(pause * 2, 10_000)
    }
    return true
}
