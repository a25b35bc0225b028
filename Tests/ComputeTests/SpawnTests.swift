// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Compute

/// `clinux_spawn_process` and its siblings.
@Suite("Starting processes")
struct SpawnTests {
    /// Starts a program and gives its standard output and wait status.
    private func capture(
        _ arguments: [String], extra: [Int32] = [], change: (inout clinux_spawn) -> Void = { _ in }
    ) throws -> (output: String, status: Int32, pid: pid_t) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        var handle = ProcessHandle(pid: -1, pidfd: -1)
        let error = spawn(arguments, output: ends[1], extra: extra, change: change, &handle)
        close(ends[1])
        try #require(error == 0)
        defer { handle.close() }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            guard count > 0 else { break }
            content += buffer[..<count]
        }
        var status: Int32 = -1
        #expect(clinux_pidfd_wait(handle.pidfd, 5000, &status) == 0)
        return (String(decoding: content, as: UTF8.self), status, handle.pid)
    }

    private func spawn(
        _ arguments: [String], output: Int32 = -1, extra: [Int32] = [],
        change: (inout clinux_spawn) -> Void = { _ in }, _ handle: inout ProcessHandle
    ) -> Int32 {
        let copies = arguments.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let argv = copies.map { $0.map { UnsafePointer($0) } } + [nil]
        let envp: [UnsafePointer<CChar>?] = [nil]
        return argv.withUnsafeBufferPointer { argv in
            envp.withUnsafeBufferPointer { envp in
                extra.withUnsafeBufferPointer { extra in
                    var options = clinux_spawn()
                    options.argv = argv.baseAddress
                    options.envp = envp.baseAddress
                    options.stdin_fd = -1
                    options.stdout_fd = output
                    options.stderr_fd = -1
                    options.extra_fds = extra.baseAddress
                    options.extra_count = extra.count
                    change(&options)
                    return clinux_spawn_process(&options, &handle.pid, &handle.pidfd)
                }
            }
        }
    }

    @Test("a program that cannot be started gives the errno of exec", arguments: [Int32(0), 1])
    func execFailure(detach: Int32) {
        var handle = ProcessHandle(pid: -1, pidfd: -1)
        #expect(spawn(["/nonexistent/program"], change: { $0.detach = detach }, &handle) == ENOENT)
        #expect(spawn(["/etc/passwd"], change: { $0.detach = detach }, &handle) == EACCES)
        #expect(spawn(["relative"], change: { $0.detach = detach }, &handle) == EINVAL)
        #expect(handle.pid == -1)
        // Nothing is left to reap.
        #expect(ProcessEntry.all().allSatisfy { $0.parent != getpid() || !$0.arguments.contains("relative") })
    }

    @Test("a missing directory is an error of the start")
    func directoryFailure() {
        var handle = ProcessHandle(pid: -1, pidfd: -1)
        let error = "/nonexistent".withCString { directory in
            spawn(["/bin/true"], change: { $0.directory = directory }, &handle)
        }
        #expect(error == ENOENT)
    }

    @Test("exit codes and signals are told apart")
    func statuses() throws {
        let failed = try capture(["/bin/false"])
        #expect(clinux_exit_code(failed.status) == 1)
        #expect(clinux_term_signal(failed.status) == -1)

        var handle = ProcessHandle(pid: -1, pidfd: -1)
        try #require(spawn(["/bin/sleep", "60"], &handle) == 0)
        defer { handle.close() }
        var status: Int32 = 0
        #expect(clinux_pidfd_wait(handle.pidfd, 1, &status) == ETIMEDOUT)
        #expect(clinux_pidfd_signal(handle.pidfd, SIGKILL) == 0)
        #expect(clinux_pidfd_wait(handle.pidfd, 5000, &status) == 0)
        #expect(clinux_term_signal(status) == SIGKILL)
        #expect(clinux_exit_code(status) == -1)
        #expect(clinux_pidfd_signal(handle.pidfd, SIGKILL) == ESRCH)
    }

    @Test("descriptors arrive in order although their numbers overlap the places, and no other one does")
    func descriptors() throws {
        var files: [Int32] = []
        defer { for file in files { close(file) } }
        var template = Array("/tmp/trove-fd-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { clinux_remove_tree(directory) }
        for index in 0..<8 {
            try HostFiles.writeAtomically("\(directory)/\(index)", Array("<\(index)>".utf8))
            files.append(open("\(directory)/\(index)", O_RDONLY))
        }
        // As many places as the highest number, so that every source is also somebody's place.
        let highest = Int(try #require(files.max()))
        let extra = (0..<(highest + 4)).map { files.reversed()[$0 % files.count] }
        let paths = (3..<11).map { "/proc/self/fd/\($0)" }
        let read = try capture(["/bin/cat"] + paths, extra: extra)
        let expected = (0..<8).map { _ in 0 }.enumerated().map { "<\(7 - $0.offset)>" }.joined()
        #expect(read.output == expected)
        let listed = try capture(["/bin/ls", "/proc/self/fd"], extra: [files[0]])
        #expect(listed.output.split(separator: "\n") == ["0", "1", "2", "3", "4"])  // 4 is ls's own
    }

    @Test(
        "ids are dropped for good, without supplementary groups, and signals are reset", .enabled(if: TestHost.isRoot))
    func ids() throws {
        let result = try capture(["/bin/cat", "/proc/self/status"]) { options in
            options.set_ids = 1
            options.uid = 64123
            options.gid = 64124
        }
        let lines = Set(result.output.split(separator: "\n").map(String.init))
        #expect(lines.contains("Uid:\t64123\t64123\t64123\t64123"))
        #expect(lines.contains("Gid:\t64124\t64124\t64124\t64124"))
        #expect(lines.contains { $0.hasPrefix("Groups:") && $0.drop { $0 != "\t" }.allSatisfy(\.isWhitespace) })
        #expect(lines.contains("NoNewPrivs:\t1"))
        #expect(lines.contains("SigBlk:\t0000000000000000"))
        #expect(lines.contains("SigIgn:\t0000000000000000"))
        #expect(lines.contains("Umask:\t0077"))
        #expect(getuid() == 0)
    }

    @Test("a detached process is nobody's child and leads its session")
    func detached() throws {
        var handle = ProcessHandle(pid: -1, pidfd: -1)
        try #require(spawn(["/bin/sleep", "60"], change: { $0.detach = 1 }, &handle) == 0)
        defer { handle.close() }
        // A program that has just been started has no arguments yet for some microseconds.
        #expect(poll(for: .seconds(2)) { ProcessEntry(handle.pid)?.arguments.isEmpty == false })
        let entry = try #require(ProcessEntry(handle.pid))
        #expect(entry.parent != getpid())
        #expect(entry.session == handle.pid)
        #expect(entry.arguments == ["/bin/sleep", "60"])
        var status: Int32 = 0
        #expect(clinux_pidfd_signal(handle.pidfd, SIGKILL) == 0)
        #expect(clinux_pidfd_wait(handle.pidfd, 5000, &status) == 0)
        #expect(status == -1)
    }

    @Test("a child that is not detached leads a process group, or a session when asked")
    func groupsAndSessions() throws {
        var handle = ProcessHandle(pid: -1, pidfd: -1)
        for isSession in [false, true] {
            try #require(spawn(["/bin/sleep", "60"], change: { $0.new_session = isSession ? 1 : 0 }, &handle) == 0)
            defer { handle.close() }
            #expect(getpgid(handle.pid) == handle.pid)
            #expect((getsid(handle.pid) == handle.pid) == isSession)
            var status: Int32 = 0
            #expect(clinux_pidfd_signal(handle.pidfd, SIGKILL) == 0)
            #expect(clinux_pidfd_wait(handle.pidfd, 5000, &status) == 0)
        }
    }

    @Test("a process is in its control groups before it executes", .enabled(if: TestHost.isRoot))
    func joinsGroups() async throws {
        try await TestHost.run { _, compute in
            guard compute.groups.isAvailable else { return }
            let limits = GroupLimits(memoryBytes: 64 << 20, vcpus: 1, processes: 10)
            try compute.groups.make("spawned", agent: limits, engine: limits)
            var descriptors = compute.groups.procs("spawned", .engine).map { open($0, O_WRONLY) }
            defer { for descriptor in descriptors { close(descriptor) } }
            let result = try descriptors.withUnsafeMutableBufferPointer { groups in
                try capture(["/bin/cat", "/proc/self/cgroup"]) { options in
                    options.cgroup_fds = UnsafePointer(groups.baseAddress)
                    options.cgroup_count = groups.count
                }
            }
            let joined = result.output.split(separator: "\n").filter {
                $0.hasSuffix("\(compute.paths.group("spawned"))/engine")
            }
            #expect(joined.count == compute.groups.hierarchies.count)
            try compute.groups.remove("spawned", timeout: .seconds(5))
        }
    }
}
