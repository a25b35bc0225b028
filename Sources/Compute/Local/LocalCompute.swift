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
/// again by its id: nothing but promises of disk space is kept in memory.
package final class LocalCompute: ComputeDriver {
    package let configuration: LocalComputeConfiguration
    package let paths: LocalPaths
    let claims: Claims
    let addresses: AddressRange
    let groups: ControlGroups
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
    private let homeLock: Int32
    /// Whether this process is the one that works on the home. Another one (an audit beside the server) only looks, and
    /// leaves alone what seems half done: it may be in the making. Source: lockf(3); the lock ends with the process.
    let isKeeper: Bool

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
        volumes = VolumeHost(paths: paths, configuration: configuration)
        promised = PromisedBytes(
            directory: paths.instances, overcommit: configuration.overcommit, reserveGiB: configuration.reserveGiB)
        bootID = HostFiles.readText("/proc/sys/kernel/random/boot_id") ?? ""
        watcher = try AgentWatcher()
        pool = BlockingPool(threads: 8)
        background = BlockingPool(threads: 1)
        spares = SpareWork()
        homeLock = Glibc.open("\(paths.instances)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        isKeeper = !configuration.isObserver && homeLock >= 0 && lockf(homeLock, F_TLOCK, 0) == 0
        recover()
    }

    deinit { if homeLock >= 0 { Glibc.close(homeLock) } }

    /// `init`, on a thread of its own.
    package static func open(_ configuration: LocalComputeConfiguration) async throws(ComputeError) -> LocalCompute {
        let thread = BlockingPool(threads: 1)
        defer { thread.close() }
        return try await thread.run { () throws(ComputeError) in try LocalCompute(configuration) }
    }

    /// Waits for removals that still go on, and ends the driver's threads. Instances keep running.
    package func close() async {
        watcher.close()
        spares.close()
        try? await background.run { () throws(ComputeError) in }
        background.close()
        pool.close()
        if isKeeper { _ = lockf(homeLock, F_ULOCK, 0) }
    }

    private static func makeDirectories(_ paths: LocalPaths) throws(ComputeError) {
        try HostFiles.makeDirectories(paths.home, mode: 0o711)
        try HostFiles.makeDirectory(paths.instances, mode: 0o711)
        try HostFiles.makeDirectory(paths.templates, mode: 0o700)
        try HostFiles.makeDirectory(paths.trash, mode: 0o700)
        try HostFiles.makeDirectories(paths.run, mode: 0o711)
        try HostFiles.requireOwn(paths.run)
        try HostFiles.makeDirectory(paths.homeRun, mode: 0o700)
        try HostFiles.makeDirectory(paths.runInstances, mode: 0o711)
    }

    /// Claims again what this home's instances had before a reboot emptied the run directory, counts their volumes, and
    /// removes what a crash left of removals and templates.
    private func recover() {
        for id in instanceIDs() {
            if !configuration.isObserver, let record = PlacementRecord(HostFiles.readJSON(paths.placement(id))) {
                reclaim(record, id)
            }
            if let record = VolumeRecord(HostFiles.readJSON(paths.volumeRecord(id))) {
                promised.load(id, record.bytes)
            }
        }
        guard isKeeper else { return }
        for name in HostFiles.list(paths.trash) { removeInBackground("\(paths.trash)/\(name)") }
        sweepTemplates()
    }

    private func reclaim(_ record: PlacementRecord, _ id: String) {
        for (kind, value) in record.claims(isPrivileged: configuration.isPrivileged) {
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
