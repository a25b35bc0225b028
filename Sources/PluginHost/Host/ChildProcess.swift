// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Runs a program to its end on the calling thread, and kills its group when it is asked to stop.
struct ChildProcess {
    typealias Failure = SpawnedProcess.Failure

    enum Stop: Sendable { case cancelled, timedOut }

    struct Ending: Sendable {
        /// nil when a signal ended it.
        var exitStatus: Int32?
        var signal: Int32?
        var stdout: [UInt8] = []
        /// The last bytes of standard error.
        var stderrTail: [UInt8] = []
        var stopped: Stop?
    }

    /// Enough for programs to find their helpers; nothing of the host's own environment.
    static let minimalEnvironment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
    ]
    /// Between asking a group to end and killing it.
    private static let killGrace: Duration = .seconds(2)

    var argv: [String]
    var environment = minimalEnvironment
    var directory: String?
    var input: Int32 = -1
    /// -1: collected.
    var output: Int32 = -1
    var extra: [Int32] = []
    var confinement: ProcessConfinement?
    var deadline: ContinuousClock.Instant
    /// Readable when the program shall stop; -1: never.
    var cancelFD: Int32 = -1
    var stdoutLimit = 1 << 20
    var stderrLimit = 64 << 10

    init(argv: [String], deadline: ContinuousClock.Instant) {
        self.argv = argv
        self.deadline = deadline
    }

    /// Starts the program and waits. The group's stragglers are killed when its leader has ended.
    func run() -> Result<Ending, Failure> {
        var out = PipeReader(limit: stdoutLimit, keepsTail: false)
        var errors = PipeReader(limit: stderrLimit, keepsTail: true)
        defer {
            out.close()
            errors.close()
        }
        guard errors.open(), output >= 0 || out.open() else {
            return .failure(Failure(code: errno, step: "pipe"))
        }
        let started = SpawnedProcess.start(
            SpawnedProcess.Options(
                argv: argv, environment: environment, directory: directory, input: input,
                output: output >= 0 ? output : out.writeEnd, errors: errors.writeEnd, extra: extra,
                confinement: confinement
            )
        )
        out.closeWriteEnd()
        errors.closeWriteEnd()
        switch started {
        case .failure(let failure): return .failure(failure)
        case .success(let process):
            var ending = Ending()
            ending.stopped = wait(for: process, &out, &errors)
            // The leader is a zombie until it is reaped, so its group cannot be another's yet.
            process.signalGroup(SIGKILL)
            let status = process.reap(within: -1) ?? -1
            ending.exitStatus = Self.unlessNegative(clinux_exit_code(status))
            ending.signal = Self.unlessNegative(clinux_term_signal(status))
            out.drain()
            errors.drain()
            ending.stdout = out.bytes
            ending.stderrTail = errors.bytes
            return .success(ending)
        }
    }

    private static func unlessNegative(_ value: Int32) -> Int32? { value < 0 ? nil : value }

    /// Reads both pipes until the leader ends.
    private func wait(for process: SpawnedProcess, _ out: inout PipeReader, _ errors: inout PipeReader) -> Stop? {
        var stop: Stop?
        var next = deadline
        while true {
            var watched = [
                pollfd(fd: process.pidfd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: out.readEnd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors.readEnd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stop == nil ? cancelFD : -1, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&watched, nfds_t(watched.count), Self.milliseconds(until: next))
            if watched[1].revents != 0 { out.drain() }
            if watched[2].revents != 0 { errors.drain() }
            if count > 0, watched[0].revents != 0 { return stop }
            if stop == nil {
                guard watched[3].revents != 0 || deadline <= .now else { continue }
                stop = watched[3].revents != 0 ? .cancelled : .timedOut
                process.signalGroup(SIGTERM)
                next = .now + Self.killGrace
            } else if next <= .now {
                process.signalGroup(SIGKILL)
                next = .now + .seconds(3600)
            }
        }
    }

    private static func milliseconds(until instant: ContinuousClock.Instant) -> Int32 {
        let left = ContinuousClock.now.duration(to: instant)
        guard left > .zero else { return 0 }
        return Int32(min(left / .milliseconds(1) + 1, 3_600_000))
    }
}

/// The reading end of a child's output.
struct PipeReader {
    private(set) var readEnd: Int32 = -1
    private(set) var writeEnd: Int32 = -1
    private(set) var bytes: [UInt8] = []
    private let limit: Int
    private let keepsTail: Bool

    /// - Parameter keepsTail: Whether the last `limit` bytes are kept, else the first.
    init(limit: Int, keepsTail: Bool) {
        self.limit = limit
        self.keepsTail = keepsTail
    }

    mutating func open() -> Bool {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { return false }
        (readEnd, writeEnd) = (ends[0], ends[1])
        return fcntl(readEnd, F_SETFL, O_NONBLOCK) == 0
    }

    mutating func closeWriteEnd() {
        if writeEnd >= 0 { Glibc.close(writeEnd) }
        writeEnd = -1
    }

    mutating func close() {
        closeWriteEnd()
        if readEnd >= 0 { Glibc.close(readEnd) }
        readEnd = -1
    }

    /// Takes what is there, without waiting.
    mutating func drain() {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while readEnd >= 0 {
            let count = read(readEnd, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                if count == 0 { close() }
                return
            }
            take(buffer[..<count])
        }
    }

    private mutating func take(_ more: ArraySlice<UInt8>) {
        guard keepsTail else {
            bytes.append(contentsOf: more.prefix(limit - bytes.count))
            return
        }
        bytes.append(contentsOf: more)
        if bytes.count > limit { bytes.removeFirst(bytes.count - limit) }
    }
}
