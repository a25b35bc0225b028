// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

/// One plugin runner that was started: its socket, and how to tell why it ended. Blocking; for the supervisor's thread.
struct RunnerProcess: Sendable {
    let channel: FrameChannel
    let process: SpawnedProcess
    private let faults: Int32

    /// Variables that the runtime of a child needs and that hold no secret.
    private static let inherited = ["LD_LIBRARY_PATH", "SWIFT_BACKTRACE", "TZ", "TROVE_RUN_DIR"]

    /// Starts `command` with a socket as descriptor 3, the pipe for fault reports as 4, and this standard error.
    static func start(_ command: [String]) -> Result<RunnerProcess, SpawnedProcess.Failure> {
        var sockets: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &sockets) == 0 else {
            return .failure(SpawnedProcess.Failure(code: errno, step: "socketpair"))
        }
        var pipe: [Int32] = [-1, -1]
        let piped = clinux_pipe(&pipe)
        guard piped == 0 else {
            for socket in sockets { close(socket) }
            return .failure(SpawnedProcess.Failure(code: piped, step: "pipe"))
        }
        var environment = ChildProcess.minimalEnvironment
        // Symbolicating a trap takes seconds in which nobody is answered; an operator's own setting wins.
        environment["SWIFT_BACKTRACE"] = "enable=no"
        for name in inherited {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        let started = SpawnedProcess.start(
            SpawnedProcess.Options(
                argv: command, environment: environment, errors: STDERR_FILENO, extra: [sockets[1], pipe[1]]))
        close(sockets[1])
        close(pipe[1])
        return started.map { process in
            RunnerProcess(channel: FrameChannel(sockets[0]), process: process, faults: pipe[0])
        }.mapError { failure in
            close(sockets[0])
            close(pipe[0])
            return failure
        }
    }

    /// Waits for the end, kills after `limit`, and closes everything.
    func finish(within limit: Duration, wasReady: Bool) -> RunnerEnd {
        channel.close()
        let milliseconds = Int32(clamping: limit.microseconds / 1000)
        var status = process.reap(within: milliseconds)
        if status == nil {
            process.signalGroup(SIGKILL)
            status = process.reap(within: -1)
        }
        // Its writing end went with the process, and with children that do not keep it: what is there is all there is.
        _ = fcntl(faults, F_SETFL, O_NONBLOCK)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(faults, &bytes, bytes.count)
        close(faults)
        let line = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).prefix { $0 != "\n" }
        let parts = line.split(separator: " ", maxSplits: 1)
        return RunnerEnd(
            signal: status.map(clinux_term_signal).flatMap { $0 < 0 ? nil : $0 },
            exitStatus: status.map(clinux_exit_code).flatMap { $0 < 0 ? nil : $0 },
            plugin: parts.count == 2 ? PluginReference(String(parts[1])) : nil, wasReady: wasReady)
    }
}
