// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The parent process: owns the listening socket and keeps a worker running behind it.
///
/// A connection that arrives while no worker runs waits in the socket's backlog.
struct Supervisor {
    /// Descriptors as the worker finds them.
    enum WorkerDescriptor {
        static let listener: Int32 = 3
        static let lifeline: Int32 = 4
        static let lock: Int32 = 5
    }

    private let home: Home
    private let executable: String
    private let listener: Int32
    private let address: ListenAddress
    private let lock: Int32
    private let signals: Int32
    private let crashAt: String?

    init(home: Home, address: ListenAddress, crashAt: String?) throws {
        self.home = home
        self.crashAt = crashAt
        executable = try Installation().executable
        try home.prepare()
        lock = try HomeLock.take(home)
        (listener, self.address) = try address.listen()
        signals = clinux_signal_fd([SIGTERM, SIGINT, SIGHUP, SIGQUIT], 4)
        guard signals >= 0 else { throw StartError("cannot watch signals: \(String(cString: strerror(-signals)))") }
        signal(SIGPIPE, SIG_IGN)
    }

    /// Runs until a signal asks to stop.
    ///
    /// - Returns: The exit code.
    func run() throws -> Int32 {
        if geteuid() != 0 { Output.error(Self.withoutRoot) }
        var pauseMilliseconds: Int32 = 100
        var hasBeenReady = false
        while true {
            let worker = try start()
            let end = watch(worker, isFirst: !hasBeenReady)
            close(worker.lifeline)
            close(worker.pidfd)
            switch end {
            case .stopped(let code): return code
            case .refused(let code): return code
            case .died(let reason, let wasReady):
                hasBeenReady = hasBeenReady || wasReady
                if wasReady { pauseMilliseconds = 100 }
                Output.error("the worker \(reason); starting it again in \(pauseMilliseconds) ms")
                if let signal = waitForSignal(milliseconds: pauseMilliseconds), signal != SIGHUP { return 0 }
                pauseMilliseconds = min(pauseMilliseconds * 2, 5000)
            }
        }
    }

    /// What an operator who starts the control plane as an ordinary user must know.
    private static var withoutRoot: String {
        """
        running without root: volumes are plain directories without a size limit, and all databases run as uid \(geteuid()) \
        without limits of memory and processor; nothing but their passwords keeps them apart. Run as root for the rest.
        """
    }

    private struct Worker {
        var pid: pid_t
        var pidfd: Int32
        /// The parent's end: readable when the worker says that it is ready, closed when the parent ends.
        var lifeline: Int32
    }

    private enum End {
        case stopped(Int32)
        /// The worker said that it cannot start with this configuration.
        case refused(Int32)
        case died(String, wasReady: Bool)
    }

    private func start() throws -> Worker {
        var pair: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            throw StartError("cannot make a socket pair: \(String(cString: strerror(errno)))")
        }
        defer { close(pair[1]) }
        var arguments = [executable, "worker", "--home", home.path, "--address", "\(address)"]
        if let crashAt { arguments += ["--crash-at", crashAt] }
        var pid: pid_t = 0
        var pidfd: Int32 = -1
        let code = Self.spawn(arguments, extra: [listener, pair[1], lock], pid: &pid, pidfd: &pidfd)
        guard code == 0 else {
            close(pair[0])
            throw StartError("cannot start \(executable): \(String(cString: strerror(code)))")
        }
        return Worker(pid: pid, pidfd: pidfd, lifeline: pair[0])
    }

    private static func spawn(
        _ arguments: [String], extra: [Int32], pid: inout pid_t, pidfd: inout Int32
    ) -> Int32 {
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

    // MARK: Watching

    private func watch(_ worker: Worker, isFirst: Bool) -> End {
        var wasReady = false
        var isStopping = false
        // A worker that does not serve yet does not listen for it either.
        var owesHangup = false
        var killAt: Int64 = .max
        while true {
            var polled = [
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: worker.pidfd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wasReady ? -1 : worker.lifeline, events: Int16(POLLIN), revents: 0),
            ]
            let now = Self.milliseconds()
            _ = poll(&polled, 3, killAt == .max ? -1 : Int32(max(0, killAt - now)))
            if Self.milliseconds() >= killAt {
                Output.error("the worker does not stop; ending it")
                clinux_pidfd_signal(worker.pidfd, SIGKILL)
                killAt = .max
            }
            if polled[2].revents != 0 {
                var byte: UInt8 = 0
                wasReady = read(worker.lifeline, &byte, 1) == 1
                if wasReady, owesHangup { clinux_pidfd_signal(worker.pidfd, SIGHUP) }
                if wasReady, isFirst { Output.line("trove: ready \(address.url)") }
                if !wasReady { polled[1].revents |= Int16(POLLIN) }
            }
            if polled[0].revents != 0, let signal = readSignal() {
                if signal == SIGHUP {
                    if wasReady { clinux_pidfd_signal(worker.pidfd, SIGHUP) } else { owesHangup = true }
                } else if !isStopping {
                    isStopping = true
                    killAt = Self.milliseconds() + 45_000
                    clinux_pidfd_signal(worker.pidfd, SIGTERM)
                } else {
                    killAt = 0
                }
            }
            if polled[1].revents != 0 {
                var status: Int32 = 0
                guard clinux_pidfd_wait(worker.pidfd, wasReady ? 0 : 2000, &status) == 0 else { continue }
                return Self.end(status, isStopping: isStopping, wasReady: wasReady)
            }
        }
    }

    private static func end(_ status: Int32, isStopping: Bool, wasReady: Bool) -> End {
        let (code, signal) = (clinux_exit_code(status), clinux_term_signal(status))
        if isStopping { return .stopped(code == 0 ? 0 : 1) }
        if code == EX_CONFIG { return .refused(code) }
        if code >= 0 { return .died("ended with code \(code)", wasReady: wasReady) }
        return .died("was ended by signal \(signal)", wasReady: wasReady)
    }

    private func readSignal() -> Int32? {
        let signal = clinux_read_signal(signals)
        return signal == 0 ? nil : signal
    }

    private func waitForSignal(milliseconds: Int32) -> Int32? {
        var polled = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, milliseconds) > 0 ? readSignal() : nil
    }

    private static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
