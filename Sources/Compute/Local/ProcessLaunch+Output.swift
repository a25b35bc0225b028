// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

extension ProcessLaunch {
    /// Runs a tool to its end and gives back what it wrote to standard output.
    static func output(_ arguments: [String], timeout: Duration) throws(ComputeError) -> String {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw HostFiles.failure("open", "a pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let launch = ProcessLaunch(
            arguments: arguments, environment: ["LANG": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], output: ends[1])
        let started = Result { () throws(ComputeError) in try launch.start() }
        close(ends[1])
        let handle = try started.get()
        defer { handle.close() }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        let end = ContinuousClock.now + timeout
        while true {
            var ready = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&ready, 1, max(0, ContinuousClock.now.duration(to: end).milliseconds)) > 0 else { break }
            let count = read(ends[0], &buffer, buffer.count)
            guard count > 0 else { break }
            content.append(contentsOf: buffer[..<count])
        }
        var status: Int32 = -1
        if clinux_pidfd_wait(handle.pidfd, max(0, ContinuousClock.now.duration(to: end).milliseconds), &status) != 0 {
            _ = clinux_pidfd_signal(handle.pidfd, SIGKILL)
            _ = clinux_pidfd_wait(handle.pidfd, -1, &status)
            throw ComputeError(.timedOut, "\(arguments[0]) did not end within \(timeout)", isRetryable: true)
        }
        guard clinux_exit_code(status) == 0 else {
            throw ComputeError(.failed, "\(arguments.joined(separator: " ")) failed")
        }
        return String(decoding: content, as: UTF8.self)
    }
}
