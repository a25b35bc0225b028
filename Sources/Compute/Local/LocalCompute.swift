// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Logging
import Model
import Synchronization

/// Runs instances as confined process trees on this host.
///
/// An instance has a loopback address, a uid, an XFS image mounted through a loop device, and control groups. Without root,
/// or where the host has no loop devices or XFS, its data is a plain directory. Everything that an instance has is found
/// again by its id, from records on disk alone, so that several processes of the host may work on one home: what two of them
/// must not do at once is done under lock files, which end with their holder.
package final class LocalCompute: ComputeDriver {
    package let configuration: LocalComputeConfiguration
    package let paths: LocalPaths
    let claims: Claims
    let addresses: AddressRange
    let groups: ControlGroups
    let filter: AccessFilter
    let volumes: VolumeHost
    let promised: PromisedBytes
    let bootID: String
    let watcher: AgentWatcher
    /// For what callers wait for.
    let pool: BlockingPool
    /// For what nobody waits for: removing images. One thread.
    let background: BlockingPool
    let spares: SpareWork
    let builds = Mutex<[String: TemplateBuild]>([:])
    /// The template that each datastore version uses here, by the version's name, with the lock that says so.
    let uses = Mutex<[String: (key: String, lock: FileLock)]>([:])
    let keeper: KeeperRole

    package var host: String? { configuration.host }
    /// Whether this process is the one that sweeps the home. One that only looks (an audit) never is.
    var isKeeper: Bool { keeper.isHeld }

    /// Looks at the host, makes missing directories, mends what a crash left half done.
    ///
    /// Blocks for some ten milliseconds (it mounts a file system to see whether the host can); see `open`.
    package init(_ configuration: LocalComputeConfiguration) throws(ComputeError) {
        self.configuration = configuration
        paths = LocalPaths(home: configuration.home, run: configuration.runDirectory)
        claims = Claims(paths: paths)
        addresses = try AddressRange(configuration.addressRange)
        try Self.makeDirectories(paths)
        try claims.prepare()
        groups = ControlGroups(
            paths: paths, isPrivileged: configuration.isPrivileged, logger: configuration.logger)
        filter = AccessFilter(
            paths: paths, unifiedRoot: groups.unifiedRoot, isPrivileged: configuration.isPrivileged)
        volumes = VolumeHost(paths: paths, configuration: configuration)
        promised = PromisedBytes(paths, configuration)
        bootID = HostFiles.readText("/proc/sys/kernel/random/boot_id") ?? ""
        watcher = try AgentWatcher()
        pool = BlockingPool(threads: 8)
        background = BlockingPool(threads: 1)
        spares = SpareWork()
        keeper = KeeperRole(paths.lock("@keeper"))
        if !configuration.isObserver { try recover() }
    }

    deinit { leave() }

    /// `init`, on a thread of its own.
    package static func open(_ configuration: LocalComputeConfiguration) async throws(ComputeError) -> LocalCompute {
        let thread = BlockingPool(threads: 1)
        defer { thread.close() }
        return try await thread.run { () throws(ComputeError) in try LocalCompute(configuration) }
    }

    /// Waits for removals that still go on, and ends the driver's threads. Instances keep running.
    package func close() async {
        watcher.close()
        leave()
        spares.close()
        try? await background.run { () throws(ComputeError) in }
        background.close()
        pool.close()
    }

    /// Leaves the home to the other processes.
    private func leave() {
        keeper.close()
        uses.withLock { uses in
            for use in uses.values { use.lock.release() }
            uses = [:]
        }
    }

    private static func makeDirectories(_ paths: LocalPaths) throws(ComputeError) {
        try HostFiles.makeDirectories(paths.home, mode: 0o711)
        try HostFiles.makeDirectory(paths.instances, mode: 0o711)
        try HostFiles.makeDirectory(paths.templates, mode: 0o700)
        for directory in [paths.trash, paths.promises, paths.locks] {
            try HostFiles.makeDirectory(directory, mode: 0o700)
        }
        try HostFiles.makeDirectories(paths.run, mode: 0o711)
        try HostFiles.requireOwn(paths.run)
        try HostFiles.makeDirectory(paths.homeRun, mode: 0o700)
        try HostFiles.makeDirectory(paths.runInstances, mode: 0o711)
    }

    /// Claims again what this home's instances had before a reboot emptied the run directory, counts their volumes, and
    /// removes what a crash left of removals and templates.
    private func recover() throws(ComputeError) {
        for id in instanceIDs() where isHere(id) {
            if let record = VolumeRecord(HostFiles.readJSON(paths.volumeRecord(id))) {
                try promised.note(id, gibibytes: record.sizeGiB)
            }
            reclaim(id)
        }
        mendFilter()
        if keeper.attempt() { sweep() } else { sweepTemplates() }
        keeper.start { [weak self] in
            guard let self else { return }
            self.background.start {
                self.sweep()
                self.mendFilter()
            }
        }
    }

    private func reclaim(_ id: String) {
        func missing() -> [(ClaimKind, String)] {
            let record = PlacementRecord(HostFiles.readJSON(paths.placement(id)))
            let claimed = record?.claims(isPrivileged: configuration.isPrivileged) ?? []
            return claimed.filter { claims.owner($0.0, $0.1) != Claims.Owner(home: paths.home, instanceID: id) }
        }
        // One that another process works on right now is that one's.
        guard !missing().isEmpty, let lock = try? FileLock.attempt(paths.lock(id)) else { return }
        defer { lock.release() }
        for (kind, value) in missing() {
            let isOurs = (try? claims.take(kind, value, for: id)) ?? false
            if !isOurs {
                configuration.logger.error(
                    "an instance's claim belongs to somebody else",
                    metadata: ["instance.id": "\(id)", "claim.kind": "\(kind)", "claim.value": "\(value)"])
            }
        }
    }

    /// Ids that have a directory in the home.
    func instanceIDs() -> [String] { HostFiles.list(paths.instances).filter { !$0.hasPrefix(".") } }

    /// Whether an instance was placed on this host, or says nothing about it.
    func isHere(_ id: String) -> Bool {
        PlacementRecord(HostFiles.readJSON(paths.placement(id)))?.host.map { $0 == configuration.host } ?? true
    }

    /// Refuses an instance of another host: its processes and mounts are not here.
    func requireHere(_ record: PlacementRecord?, _ id: String) throws(ComputeError) {
        guard let host = record?.host, host != configuration.host else { return }
        throw ComputeError(
            .unsupported,
            "instance \(id) is on host \(host), and this process works for host \(configuration.host); run a task "
                + "manager there, or set compute.host to \(host) if this is that host under another name")
    }

    /// A name in the trash that nobody sweeps while this process runs.
    func trashName() -> String { "\(paths.trash)/\(ProcessMark.own)-\(SystemRandomSource().bytes(8).hex)" }

    /// Removes a file or directory while nobody waits.
    func removeInBackground(_ path: String) {
        let logger = configuration.logger
        background.start {
            do throws(ComputeError) {
                try HostFiles.removeTree(path)
            } catch {
                logger.warning("cannot remove trash", metadata: ["error.message": "\(error.message)"])
            }
        }
    }

    /// Refuses ids that are no single path component, since they become part of paths.
    func check(_ id: String) throws(ComputeError) {
        let isPlain = id.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                || byte == 95
        }
        guard isPlain, (1...64).contains(id.utf8.count) else {
            throw ComputeError(.unsupported, "\(id) is not an instance id: 1 to 64 letters, digits, - and _")
        }
    }
}
