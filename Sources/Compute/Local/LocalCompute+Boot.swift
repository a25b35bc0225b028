// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
package import Model

extension LocalCompute {
    package func boot(_ request: BootRequest) async throws(ComputeError) -> String {
        try check(request.instanceID)
        // The agent may come up while the volume is still being made.
        try await attachFinishedVolume(request.instanceID)
        return try await run(on: request.instanceID) { () throws(ComputeError) in
            try self.launch(request.instanceID, request.guestConfiguration, request.flavor)
            return request.instanceID
        }
    }

    package func replaceAgent(_ request: BootRequest) async throws(ComputeError) {
        let id = request.instanceID
        try check(id)
        try await run(on: id) { () throws(ComputeError) in
            _ = try self.placement(id)
            guard HostFiles.exists(self.paths.guestConfiguration(id)) else {
                throw ComputeError(.missing, "instance \(id) has never been booted here; boot it first")
            }
            if let agent = self.liveAgent(id) {
                defer { agent.close() }
                try self.stopAgent(agent, id)
            }
            try self.launch(id, request.guestConfiguration, request.flavor)
        }
    }

    package func ensureServer(_ instanceID: String) async throws(ComputeError) {
        try check(instanceID)
        try await attachFinishedVolume(instanceID)
        try await run(on: instanceID) { () throws(ComputeError) in
            let (base, flavor) = try self.lastBoot(instanceID)
            try self.launch(instanceID, base, flavor)
        }
    }

    package func rebootServer(_ instanceID: String) async throws(ComputeError) {
        try check(instanceID)
        try await attachFinishedVolume(instanceID)
        try await run(on: instanceID) { () throws(ComputeError) in
            try self.requireHere(PlacementRecord(HostFiles.readJSON(self.paths.placement(instanceID))), instanceID)
            let (base, flavor) = try self.lastBoot(instanceID)
            try self.endProcesses(instanceID)
            try self.launch(instanceID, base, flavor)
        }
    }

    package func rebuildServer(_ request: BootRequest) async throws(ComputeError) {
        let id = request.instanceID
        try check(id)
        try await attachFinishedVolume(id)
        try await run(on: id) { () throws(ComputeError) in
            _ = try self.placement(id)
            try self.endProcesses(id)
            try HostFiles.removeTree(self.paths.sockets(id))
            try HostFiles.removeFile(self.paths.agentRecord(id))
            try self.launch(id, request.guestConfiguration, request.flavor)
        }
    }

    /// What the instance was booted with.
    private func lastBoot(_ id: String) throws(ComputeError) -> (guestConfiguration: JSONValue, flavor: Flavor) {
        guard let base = HostFiles.readJSON(paths.guestConfiguration(id)),
            let memory = base["memory_mb"]?.intValue, let vcpus = base["vcpus"]?.intValue
        else {
            throw ComputeError(.missing, "instance \(id) has never been booted here; boot it first")
        }
        return (base, Flavor(id: "", name: "", ramMiB: memory, vcpus: vcpus))
    }

    package func serverStatus(_ instanceID: String) async -> ServerStatus {
        let status = try? await pool.run { () throws(ComputeError) -> ServerStatus in
            if let agent = self.liveAgent(instanceID) {
                agent.close()
                return .active
            }
            if HostFiles.exists(self.paths.guestConfiguration(instanceID)) { return .shutdown }
            return HostFiles.exists(self.paths.instance(instanceID)) ? .build : .deleted
        }
        return status ?? .unknown
    }

    package func deleteServer(_ instanceID: String) async throws(ComputeError) {
        try check(instanceID)
        watcher.forget(instanceID)
        try await run(on: instanceID) { () throws(ComputeError) in
            try self.requireHere(PlacementRecord(HostFiles.readJSON(self.paths.placement(instanceID))), instanceID)
            // A repeat of `boot` that was queued before may have armed the watch again.
            self.watcher.forget(instanceID)
            try self.endProcesses(instanceID)
            try HostFiles.removeTree(self.paths.sockets(instanceID))
            try HostFiles.removeFile(self.paths.guestConfiguration(instanceID))
            try HostFiles.removeFile(self.paths.agentRecord(instanceID))
        }
    }

    package func watch(_ instanceIDs: [String], handler: @Sendable @escaping (String) async -> Void) async {
        _ = try? await pool.run { () throws(ComputeError) in
            for id in instanceIDs {
                self.watcher.follow(id, handler)
                if let agent = self.liveAgent(id) {
                    self.watcher.arm(id, agent.pidfd)
                } else {
                    self.watcher.report(id)
                }
            }
        }
    }

    /// Ends agent, engine and whatever they started, and removes their control groups.
    ///
    /// - Parameter more: A directory beside the instance's own that its processes work on.
    func endProcesses(_ id: String, workingOn more: String? = nil) throws(ComputeError) {
        let agent = liveAgent(id)
        defer { agent?.close() }
        guard groups.isAvailable else { return try endFamily(id, agent, more) }
        if let agent { try stopAgent(agent, id) }
        try groups.kill(id, timeout: configuration.killTimeout)
        try groups.remove(id, timeout: configuration.killTimeout)
    }

    /// Without control groups: the agent's descendants as they are before it ends, and orphans that work for the instance.
    private func endFamily(_ id: String, _ agent: ProcessHandle?, _ more: String?) throws(ComputeError) {
        let directories = [paths.instance(id), paths.runInstance(id)] + (more.map { [$0] } ?? [])
        var family = ProcessTable.family(of: agent?.pid, directories: directories, in: ProcessEntry.all())
        if let agent { try stopAgent(agent, id) }
        let isGone = poll(for: configuration.killTimeout) {
            let table = ProcessEntry.all()
            family = family.intersection(table.map(\.pid))
            family.formUnion(ProcessTable.family(of: nil, directories: directories, in: table))
            for pid in family { kill(pid, SIGKILL) }
            return family.isEmpty
        }
        guard isGone else {
            throw ComputeError(.timedOut, "processes of instance \(id) do not end", isRetryable: true)
        }
    }

    private func launch(_ id: String, _ base: JSONValue, _ flavor: Flavor) throws(ComputeError) {
        let owner = try placement(id)
        if let agent = liveAgent(id) {
            watcher.armIfFollowed(id, agent.pidfd)
            return
        }
        try claimAgain(id, owner)
        let places = GuestPlaces(
            data: dataDirectory(id), run: paths.sockets(id), log: paths.log(id), state: paths.state(id))
        try makePlaces(id, places, owner)
        try HostFiles.whileOthersCleanUp { () throws(ComputeError) in
            try groups.make(id, agent: agentLimits(flavor), engine: engineLimits(flavor))
        }
        try enforceAccess(id)
        let guest = guestConfiguration(id, base, owner, flavor, places, mode: "serve")
        try HostFiles.writeJSON(paths.guestConfiguration(id), guest)
        let agent = try startAgent(
            id, configuration: paths.guestConfiguration(id), log: "\(places.log)/agent.log", isDetached: true)
        do throws(ComputeError) {
            try writeAgentRecord(id, agent)
        } catch {
            agent.close()
            throw error
        }
        watcher.armIfFollowed(id, agent.pidfd)
    }

    /// The run directory, and with it the claims, may have been emptied by a reboot.
    private func claimAgain(_ id: String, _ owner: Placement) throws(ComputeError) {
        try claims.prepare()
        for (kind, value) in PlacementRecord(owner, host: nil).claims(isPrivileged: configuration.isPrivileged) {
            guard try claims.take(kind, value, for: id) else {
                throw ComputeError(
                    .failed,
                    "\(kind.rawValue) \(value) of instance \(id) is claimed by somebody else: see "
                        + "\(claims.directory(kind))/\(value)")
            }
        }
    }
}
