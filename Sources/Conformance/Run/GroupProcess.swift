// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

/// One child process that runs a group, watched until its end. Blocks.
struct GroupProcess {
    /// How the child ended.
    enum End: Sendable {
        /// Every scenario was run.
        case done
        /// It said that the plugin cannot be used any further.
        case unusable
        /// It ended in, or was ended during, this scenario.
        case lost(index: Int, check: String, target: String, how: String)
        /// It could not work; no fault of the plugin.
        case failed(String)
    }

    let order: ChildOrder
    let command: [String]
    /// Names the run to whoever cleans up after it.
    let scratch: String

    private static let idleLimit = Duration.seconds(20)

    /// - Parameter tell: Gets each line that the child reports.
    func run(_ tell: (JSONValue) -> Void) -> End {
        var input: [Int32] = [-1, -1]
        var report: [Int32] = [-1, -1]
        var errors: [Int32] = [-1, -1]
        defer { for end in input + report + errors where end >= 0 { close(end) } }
        guard clinux_pipe(&input) == 0, clinux_pipe(&report) == 0, clinux_pipe(&errors) == 0 else {
            return .failed("no pipe can be made: \(String(cString: strerror(errno)))")
        }
        var pid: pid_t = 0
        var handle: Int32 = -1
        let code = spawn(input[0], report[1], errors[1], &pid, &handle)
        guard code == 0 else {
            return .failed("\(command.first ?? "") cannot be started: \(String(cString: strerror(code)))")
        }
        defer {
            // What the plugin started belongs to the child's session, or has come to this process as an orphan.
            kill(-pid, SIGKILL)
            close(handle)
        }
        Self.shut(&input[0])
        Self.shut(&report[1])
        Self.shut(&errors[1])
        Self.feed(&input[1], Array(order.json.serialized))
        var watch = Watch(report: report[0], errors: errors[0], process: handle)
        return watch.follow(tell)
    }

    private static func shut(_ descriptor: inout Int32) {
        close(descriptor)
        descriptor = -1
    }

    /// The order is smaller than a pipe, or the child reads it at once.
    private static func feed(_ descriptor: inout Int32, _ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            offset += count
        }
        shut(&descriptor)
    }

    private func spawn(
        _ input: Int32, _ report: Int32, _ errors: Int32, _ pid: inout pid_t, _ handle: inout Int32
    ) -> Int32 {
        let arguments = command.map { strdup($0) }
        let variables: [String] = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/nonexistent", Orphans.mark(scratch)]
        let environment = variables.map { strdup($0) }
        defer { for text in arguments + environment { free(text) } }
        let argv = arguments.map { UnsafePointer<CChar>($0) } + [nil]
        let envp = environment.map { UnsafePointer<CChar>($0) } + [nil]
        return argv.withUnsafeBufferPointer { argv in
            envp.withUnsafeBufferPointer { envp in
                withUnsafePointer(to: report) { extra in
                    var options = clinux_spawn()
                    options.argv = argv.baseAddress
                    options.envp = envp.baseAddress
                    options.stdin_fd = input
                    options.stdout_fd = -1
                    options.stderr_fd = errors
                    options.extra_fds = extra
                    options.extra_count = 1
                    options.new_session = 1
                    return Int32(clinux_spawn_process(&options, &pid, &handle))
                }
            }
        }
    }

    /// Reads what a child says, keeps to the limits that it names, and tells how it ended.
    private struct Watch {
        let report: Int32
        let errors: Int32
        let process: Int32
        private var pending: [UInt8] = []
        private var tail: [UInt8] = []
        private var current: (index: Int, check: String, target: String)?
        private var deadline = ContinuousClock.now + GroupProcess.idleLimit
        private var last: Bool?
        private var problem: String?

        init(report: Int32, errors: Int32, process: Int32) {
            self.report = report
            self.errors = errors
            self.process = process
        }

        mutating func follow(_ tell: (JSONValue) -> Void) -> End {
            var isOverdue = false
            while true {
                var entries = [
                    pollfd(fd: report, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: process, events: Int16(POLLIN), revents: 0),
                ]
                let left = (deadline - ContinuousClock.now).milliseconds
                let count = poll(&entries, 3, Int32(max(0, min(left, 60_000)) + 1))
                if entries[0].revents != 0 { take(tell) }
                if entries[1].revents != 0 { takeErrors() }
                if entries[2].revents != 0 { break }
                if count == 0 || ContinuousClock.now > deadline {
                    isOverdue = true
                    clinux_pidfd_signal(process, SIGKILL)
                    break
                }
            }
            var status: Int32 = -1
            clinux_pidfd_wait(process, 10_000, &status)
            take(tell)
            takeErrors()
            if let problem { return .failed(problem) }
            if let last { return last ? .done : .unusable }
            guard let current else { return .failed("the child ended before it began: \(describe(status, isOverdue))") }
            return .lost(
                index: current.index, check: current.check, target: current.target, how: describe(status, isOverdue))
        }

        private mutating func take(_ tell: (JSONValue) -> Void) {
            guard let more = Self.readAll(report) else { return }
            pending += more
            while let end = pending.firstIndex(of: 10) {
                let line = try? JSONValue(parsing: pending[..<end])
                pending.removeSubrange(...end)
                if let line { heed(line, tell) }
            }
        }

        private mutating func heed(_ line: JSONValue, _ tell: (JSONValue) -> Void) {
            if let index = line["begin"]?.intValue {
                current = (index, line["check"]?.stringValue ?? "", line["target"]?.stringValue ?? "")
                deadline = .now + .seconds(line["limit_s"]?.intValue ?? 10)
            } else if line["end"] != nil {
                deadline = .now + GroupProcess.idleLimit
            } else if let isDone = line["done"]?.boolValue {
                last = isDone
            } else if let message = line["error"]?.stringValue {
                problem = message
            } else {
                tell(line)
            }
        }

        private mutating func takeErrors() {
            guard let more = Self.readAll(errors) else { return }
            tail = (tail + more).suffix(4096)
        }

        /// What is there now, without waiting.
        private static func readAll(_ descriptor: Int32) -> [UInt8]? {
            var found: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, 0) > 0, entry.revents & Int16(POLLIN) != 0 else { break }
                let count = read(descriptor, &buffer, buffer.count)
                guard count > 0 else { break }
                found += buffer[..<count]
            }
            return found.isEmpty ? nil : found
        }

        private func describe(_ status: Int32, _ isOverdue: Bool) -> String {
            if isOverdue { return "did not end in time" }
            let signal = clinux_term_signal(status)
            if signal > 0 { return "ended the process with signal \(signal) (\(String(cString: strsignal(signal))))" }
            return "ended the process with exit status \(clinux_exit_code(status))"
        }
    }
}
