// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A started child and the handle on it.
struct SpawnedProcess: Sendable {
    let pid: pid_t
    /// Readable when the process ends; close-on-exec.
    let pidfd: Int32

    /// How to start one; descriptors are borrowed.
    struct Options {
        var argv: [String]
        var environment: [String: String]
        var directory: String?
        var input: Int32 = -1
        var output: Int32 = -1
        var errors: Int32 = -1
        /// Given to the child as 3, 4, …
        var extra: [Int32] = []
        var confinement: ProcessConfinement?
    }

    struct Failure: Error, Sendable {
        var code: Int32
        var step: String
        var isMissing: Bool { code == ENOENT }
        var message: String { "\(step): \(String(cString: strerror(code)))" }
    }

    /// Starts a program in a process group of its own. Blocks until its exec succeeded or failed.
    static func start(_ options: Options) -> Result<SpawnedProcess, Failure> {
        var groups: [Int32] = []
        defer { for group in groups { close(group) } }
        for path in options.confinement?.cgroupProcsPaths ?? [] {
            let group = Glibc.open(path, O_WRONLY | O_CLOEXEC)
            guard group >= 0 else { return .failure(Failure(code: errno, step: "cgroup \(path)")) }
            groups.append(group)
        }
        var pid: pid_t = 0
        var pidfd: Int32 = -1
        let environment = options.environment.map { "\($0.key)=\($0.value)" }.sorted()
        let code = withCStrings(options.argv) { argv in
            withCStrings(environment) { envp in
                groups.withUnsafeBufferPointer { groups in
                    options.extra.withUnsafeBufferPointer { extra in
                        var spawn = clinux_spawn()
                        spawn.argv = argv
                        spawn.envp = envp
                        spawn.stdin_fd = options.input
                        spawn.stdout_fd = options.output
                        spawn.stderr_fd = options.errors
                        spawn.extra_fds = extra.baseAddress
                        spawn.extra_count = extra.count
                        spawn.cgroup_fds = groups.baseAddress
                        spawn.cgroup_count = groups.count
                        if let confinement = options.confinement, confinement.setIDs {
                            spawn.set_ids = 1
                            spawn.uid = confinement.uid
                            spawn.gid = confinement.gid
                        }
                        guard let directory = options.directory else {
                            return clinux_spawn_process(&spawn, &pid, &pidfd)
                        }
                        return directory.withCString { directory in
                            spawn.directory = directory
                            return clinux_spawn_process(&spawn, &pid, &pidfd)
                        }
                    }
                }
            }
        }
        guard code == 0 else { return .failure(Failure(code: code, step: "start")) }
        return .success(SpawnedProcess(pid: pid, pidfd: pidfd))
    }

    /// Sends a signal to the child's group; safe until the child is reaped.
    func signalGroup(_ number: Int32) { kill(-pid, number) }

    /// Reaps the child and closes the handle.
    ///
    /// - Returns: The wait status, nil when it does not end in time.
    func reap(within milliseconds: Int32) -> Int32? {
        var status: Int32 = 0
        guard clinux_pidfd_wait(pidfd, milliseconds, &status) == 0 else { return nil }
        close(pidfd)
        return status
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers = copies.map { UnsafePointer<CChar>($0) } + [nil]
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
