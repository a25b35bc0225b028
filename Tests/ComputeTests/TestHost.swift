// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Logging
import Model
import Testing

@testable import Compute

/// A home and a run directory of their own, removed afterwards with everything that was left in them.
struct TestHost: Sendable {
    enum Mode: Sendable, CaseIterable {
        case privileged
        case plain
    }

    let base: String
    var configuration: LocalComputeConfiguration

    static let isRoot = geteuid() == 0
    static let canRunAgents = TestAgent.path != nil
    static var modes: [Mode] { isRoot ? Mode.allCases : [.plain] }

    /// Runs `body` on a fresh host directory; `prepare` may change the configuration first.
    static func run(
        _ mode: Mode = .privileged,
        prepare: (inout LocalComputeConfiguration) -> Void = { _ in },
        _ body: (TestHost, LocalCompute) async throws -> Void
    ) async throws {
        let host = try TestHost(mode, prepare: prepare)
        do {
            let compute = try await LocalCompute.open(host.configuration)
            try await body(host, compute)
            await compute.close()
        } catch {
            host.sweep()
            throw error
        }
        host.sweep()
    }

    init(_ mode: Mode, prepare: (inout LocalComputeConfiguration) -> Void = { _ in }) throws {
        var template = Array("/tmp/tvc-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw HostFiles.failure("make", "/tmp/tvc-XXXXXX", errno) }
        base = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(base, 0o711)
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .error
        configuration = LocalComputeConfiguration(
            home: "\(base)/home", guestExecutable: TestAgent.path ?? "/bin/false", logger: logger)
        configuration.runDirectory = "\(base)/run"
        configuration.addressRange = "127.\(Int.random(in: 60...250)).\(Int.random(in: 0...255)).0/24"
        configuration.isPrivileged = mode == .privileged
        configuration.spareImages = 0
        configuration.agentStopTimeout = .seconds(2)
        configuration.reserveGiB = 0
        prepare(&configuration)
    }

    var paths: LocalPaths { LocalPaths(home: configuration.home, run: configuration.runDirectory) }

    /// What a failed test left: processes, groups, mounts, files.
    func sweep() {
        let groups = ControlGroups(paths: paths, isPrivileged: Self.isRoot, logger: configuration.logger)
        for id in groups.groups() {
            try? groups.kill(id, timeout: .seconds(5))
            try? groups.remove(id, timeout: .seconds(5))
        }
        groups.removeHome()
        for entry in ProcessEntry.all() where entry.mentions([base]) && entry.pid != getpid() {
            kill(entry.pid, SIGKILL)
        }
        for mount in MountEntry.all().reversed() where mount.mountPoint.hasPrefix(base + "/") {
            clinux_unmount(mount.mountPoint, 1)
        }
        for loop in LoopTable.all(where: { $0.hasPrefix(base + "/") }) { clinux_loop_detach(loop.number) }
        clinux_remove_tree(base)
    }

    static let flavor = Flavor(id: "1", name: "small", ramMiB: 256, vcpus: 1)

    static let guest: JSONValue = ["datastore": ["name": "none", "version": "1"], "port": 7000]

    func template(_ key: String = "key1", version: String = "1", _ extra: [String: JSONValue] = [:]) -> TemplateRequest
    {
        let guest = (Self.guest.objectValue ?? [:]).merging(extra) { $1 }
        return TemplateRequest(
            key: key, datastoreName: "none", versionName: version, guestConfiguration: .object(guest))
    }
}

extension LocalCompute {
    /// Address, volume and agent for an instance.
    @discardableResult
    func makeInstance(_ id: String, templateKey: String? = nil) async throws -> Placement {
        let placement = try await allocate(id, ports: [7000])
        _ = try await createVolume(VolumeRequest(instanceID: id, sizeGiB: 1, templateKey: templateKey))
        _ = try await boot(
            BootRequest(instanceID: id, flavor: TestHost.flavor, guestConfiguration: TestHost.guest))
        return placement
    }

    func removeInstance(_ id: String) async throws {
        try await deleteServer(id)
        try await deleteVolume(id)
        try await release(id)
    }

    func allResources(_ id: String) -> Set<ComputeResource> {
        Set(ComputeEffect.allCases.flatMap { resources(for: id, effect: $0) })
    }

    /// Waits until the engine of the test agent runs; its pid. A busy disk may hold up its file for seconds.
    func enginePID(_ id: String) -> pid_t? {
        var pid: pid_t?
        _ = poll(for: .seconds(30)) {
            pid = HostFiles.readText("\(dataDirectory(id))/engine.pid").flatMap { pid_t($0) }
            return pid != nil
        }
        return pid
    }

    /// What there is of an instance, for the message of a failed test.
    func remains(_ id: String) -> String {
        let processes = ProcessEntry.all().filter { $0.mentions([paths.instance(id), paths.runInstance(id)]) }
        let groups = GroupRole.allCases.map { "\($0.rawValue): \(self.groups.processes(id, $0).sorted())" }
        let mounts = MountEntry.all().filter { $0.mountPoint.contains(id) }.map(\.mountPoint)
        let log = HostFiles.readText("\(paths.log(id))/agent.log") ?? ""
        return "data \(HostFiles.list(dataDirectory(id))), mounts \(mounts), groups \(groups), log \(log), \(processes)"
    }
}

/// Whether a process exists and is no zombie.
func isRunning(_ pid: pid_t) -> Bool {
    var start: UInt64 = 0
    var state: CChar = 0
    return clinux_process_stat(pid, &start, &state) == 0 && state != CChar(UInt8(ascii: "Z"))
}

/// The error that `body` throws; nil when it throws none.
func computeError(_ body: () async throws -> Void) async -> ComputeError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ComputeError
    }
}
