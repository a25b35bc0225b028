// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Logging
import Model
import Synchronization

/// A template that is being made, for all who wait for it.
struct TemplateBuild: Sendable {
    var task: Task<Result<Void, ComputeError>, Never>
}

extension LocalCompute {
    package func ensureTemplate(_ request: TemplateRequest) async throws(ComputeError) {
        try check(request.key)
        let build = builds.withLock { builds in
            if let build = builds[request.key] { return build }
            // Unstructured: it serves everybody who asks for the key, so no one caller's cancellation ends it.
            let build = TemplateBuild(task: Task { await self.makeTemplate(request) })
            builds[request.key] = build
            return build
        }
        try await build.task.value.get()
    }

    private func makeTemplate(_ request: TemplateRequest) async -> Result<Void, ComputeError> {
        defer { builds.withLock { _ = $0.removeValue(forKey: request.key) } }
        do throws(ComputeError) {
            try await pool.run(key: "template \(request.key)") { () throws(ComputeError) in
                try self.noteUse(request)
                // A process that died after it had finished a template has left its directory.
                let isFinished =
                    HostFiles.exists(self.templatePath(request.key))
                    && !HostFiles.exists(self.buildDirectory(request.key))
                if !isFinished { try self.buildAlone(request) }
                self.removeOldTemplates(request)
            }
            refillSpares(request.key)
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Builds unless another process of the host is at it: then this one waits for that one, and goes on where it died.
    private func buildAlone(_ request: TemplateRequest) throws(ComputeError) {
        let lock = try FileLock.take(
            paths.templateLock(request.key), within: configuration.templateTimeout + configuration.killTimeout,
            "the template of \(request.datastoreName) \(request.versionName)")
        defer { lock.release() }
        if HostFiles.exists(templatePath(request.key)) {
            try sweepBuild(request.key)
        } else {
            try build(request)
        }
    }

    func templatePath(_ key: String) -> String {
        volumes.hasImages ? paths.templateImage(key) : paths.templateTree(key)
    }

    /// The name under which a build has its groups, mounts and claims; no instance has it, and no other home that makes the
    /// same template at the same time.
    func buildID(_ key: String) -> String { "\(Self.buildPrefix)\(paths.homeDigest)-\(StableHash.digits(key.utf8))" }
    static let buildPrefix = "template-"

    func buildDirectory(_ key: String) -> String { "\(paths.templates)/.build-\(key)" }

    private func build(_ request: TemplateRequest) throws(ComputeError) {
        let id = buildID(request.key)
        let directory = buildDirectory(request.key)
        try sweepBuild(request.key)
        do throws(ComputeError) {
            try HostFiles.makeDirectory(directory, mode: 0o711)
            let uid = configuration.isPrivileged ? try claimUID(id) : getuid()
            let owner = Placement(address: "127.0.0.1", uid: uid)
            let data = try makeBuildData(request.key, owner)
            let places = GuestPlaces(
                data: data, run: paths.sockets(id), log: "\(directory)/log", state: "\(directory)/state")
            try makePlaces(id, places, owner)
            try initialize(request, owner, places)
            try publish(request)
        } catch {
            try? sweepBuild(request.key)
            throw error
        }
        try sweepBuild(request.key)
    }

    private func makeBuildData(_ key: String, _ owner: Placement) throws(ComputeError) -> String {
        let id = buildID(key)
        let data: String
        if volumes.hasImages {
            try makeRunDirectory(id)
            let image = "\(buildDirectory(key))/volume.img"
            try volumes.format(image, bytes: VolumeHost.templateBytes)
            data = paths.mount(id)
            try volumes.mountNew(image, at: data)
        } else {
            data = "\(buildDirectory(key))/data"
            try HostFiles.makeDirectory(data, mode: 0o700)
        }
        if configuration.isPrivileged, chown(data, owner.uid, owner.uid) != 0 {
            throw HostFiles.failure("set the owner of", data, errno)
        }
        return data
    }

    /// Runs the agent in its `initialize` mode to its end.
    private func initialize(
        _ request: TemplateRequest, _ owner: Placement, _ places: GuestPlaces
    ) throws(ComputeError) {
        let id = buildID(request.key)
        let flavor = Flavor(id: "", name: "", ramMiB: 1024, vcpus: 2)
        try groups.make(id, agent: agentLimits(flavor), engine: engineLimits(flavor))
        let path = "\(buildDirectory(request.key))/guest.json"
        let guest = guestConfiguration(id, request.guestConfiguration, owner, flavor, places, mode: "initialize")
        try HostFiles.writeJSON(path, guest)
        let log = paths.templateLog(request.key)
        try HostFiles.removeFile(log)
        let agent = try startAgent(id, configuration: path, log: log, isDetached: false)
        defer { agent.close() }
        var status: Int32 = -1
        guard clinux_pidfd_wait(agent.pidfd, configuration.templateTimeout.milliseconds, &status) == 0 else {
            _ = clinux_pidfd_signal(agent.pidfd, SIGKILL)
            _ = clinux_pidfd_wait(agent.pidfd, configuration.killTimeout.milliseconds, &status)
            throw ComputeError(
                .timedOut,
                "making the template of \(request.datastoreName) \(request.versionName) took longer than "
                    + "\(configuration.templateTimeout); see \(log)", isRetryable: true)
        }
        guard clinux_exit_code(status) == 0 else {
            let code = clinux_exit_code(status)
            let end = code >= 0 ? "exit code \(code)" : "signal \(clinux_term_signal(status))"
            throw ComputeError(
                .failed,
                "making the template of \(request.datastoreName) \(request.versionName) ended with \(end); see \(log)",
                isRetryable: true)
        }
    }

    /// Unmounts the finished data and gives it its name.
    private func publish(_ request: TemplateRequest) throws(ComputeError) {
        let id = buildID(request.key)
        try endProcesses(id, workingOn: buildDirectory(request.key))
        let finished: String
        if volumes.hasImages {
            finished = "\(buildDirectory(request.key))/volume.img"
            try volumes.unmount(finished, at: paths.mount(id))
            let descriptor = Glibc.open(finished, O_RDWR | O_CLOEXEC)
            guard descriptor >= 0, fsync(descriptor) == 0 else { throw HostFiles.failure("write out", finished, errno) }
            Glibc.close(descriptor)
        } else {
            finished = "\(buildDirectory(request.key))/data"
        }
        try HostFiles.writeJSON(
            paths.templateRecord(request.key),
            ["datastore": .string(request.datastoreName), "version": .string(request.versionName)])
        try HostFiles.move(finished, templatePath(request.key))
    }

    /// Removes everything of a build, whether it is finished or was cut short. Only under the template's lock.
    func sweepBuild(_ key: String) throws(ComputeError) {
        let id = buildID(key)
        try endProcesses(id, workingOn: buildDirectory(key))
        if volumes.hasImages {
            try volumes.unmount("\(buildDirectory(key))/volume.img", at: paths.mount(id))
        }
        try HostFiles.removeTree(paths.runInstance(id))
        try giveAll(.uid, id)
        // Last, since it says that there is something to sweep.
        try HostFiles.removeTree(buildDirectory(key))
    }
}
