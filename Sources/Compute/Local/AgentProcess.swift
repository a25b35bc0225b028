// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

/// Finding and starting an instance's agent.
extension LocalCompute {
    /// A handle on the agent if one runs; the caller closes it.
    ///
    /// The record is believed only with its start time and boot id. Without a valid one, a crash may have come between
    /// starting the agent and writing it down: then the agent is looked for in its control group, or among all processes.
    func liveAgent(_ id: String) -> ProcessHandle? {
        if let record = AgentRecord(HostFiles.readJSON(paths.agentRecord(id))), record.bootID == bootID,
            let handle = handle(record.pid, startTime: record.startTime)
        {
            return handle
        }
        for pid in candidates(id) {
            guard let entry = startedEntry(pid), entry.configuration == paths.guestConfiguration(id) else { continue }
            if let handle = handle(pid, startTime: nil) {
                try? writeAgentRecord(id, handle)
                return handle
            }
        }
        return nil
    }

    /// A program that has just been started has no arguments yet for some microseconds.
    private func startedEntry(_ pid: pid_t) -> ProcessEntry? {
        var entry = ProcessEntry(pid)
        guard groups.isAvailable else { return entry }
        _ = poll(for: .milliseconds(100)) {
            if entry?.arguments.isEmpty == true { entry = ProcessEntry(pid) }
            return entry?.arguments.isEmpty != true
        }
        return entry
    }

    private func candidates(_ id: String) -> [pid_t] {
        if groups.isAvailable { return groups.processes(id, .agent).sorted() }
        guard HostFiles.exists(paths.guestConfiguration(id)) else { return [] }
        return ProcessEntry.all().map(\.pid)
    }

    /// Opens the handle first and looks afterwards, so that what is seen belongs to the handle's process.
    private func handle(_ pid: pid_t, startTime: UInt64?) -> ProcessHandle? {
        let pidfd = clinux_pidfd_open(pid)
        guard pidfd >= 0 else { return nil }
        var found: UInt64 = 0
        var state: CChar = 0
        if clinux_process_stat(pid, &found, &state) == 0, state != CChar(UInt8(ascii: "Z")),
            state != CChar(UInt8(ascii: "X")),
            startTime == nil || startTime == found
        {
            return ProcessHandle(pid: pid, pidfd: pidfd)
        }
        Glibc.close(pidfd)
        return nil
    }

    func writeAgentRecord(_ id: String, _ handle: ProcessHandle) throws(ComputeError) {
        var startTime: UInt64 = 0
        var state: CChar = 0
        let error = clinux_process_stat(handle.pid, &startTime, &state)
        guard error == 0 else {
            throw ComputeError(
                .failed, "the agent of instance \(id) ended at once; see \(paths.log(id))/agent.log", isRetryable: true)
        }
        let record = AgentRecord(pid: handle.pid, startTime: startTime, bootID: bootID)
        try HostFiles.writeJSON(paths.agentRecord(id), record.json)
    }

    /// Starts the agent program on a configuration file, in the agent's control group.
    func startAgent(
        _ id: String, configuration path: String, log: String, isDetached: Bool
    ) throws(ComputeError) -> ProcessHandle {
        let descriptor = try openLog(log)
        defer { Glibc.close(descriptor) }
        var launch = ProcessLaunch(
            arguments: [configuration.guestExecutable] + configuration.guestArguments + ["--config", path],
            environment: configuration.guestEnvironment)
        launch.output = descriptor
        launch.error = descriptor
        launch.groups = groups.procs(id, .agent)
        launch.isDetached = isDetached
        return try launch.start()
    }

    /// Opens the agent's log; one that has become large makes room for a new one.
    private func openLog(_ path: String) throws(ComputeError) -> Int32 {
        if let size = HostFiles.size(path), size > 8 << 20 { try HostFiles.move(path, path + ".1") }
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw HostFiles.failure("open", path, errno) }
        return descriptor
    }

    /// Sends SIGTERM, and SIGKILL after the deadline, and waits for the end.
    func stopAgent(_ handle: ProcessHandle, _ id: String) throws(ComputeError) {
        var status: Int32 = -1
        _ = clinux_pidfd_signal(handle.pidfd, SIGTERM)
        if clinux_pidfd_wait(handle.pidfd, configuration.agentStopTimeout.milliseconds, &status) == 0 { return }
        _ = clinux_pidfd_signal(handle.pidfd, SIGKILL)
        guard clinux_pidfd_wait(handle.pidfd, configuration.killTimeout.milliseconds, &status) == 0 else {
            throw ComputeError(.timedOut, "the agent of instance \(id) does not end", isRetryable: true)
        }
    }
}
