// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Model

/// Who in an instance's control group is meant.
enum GroupRole: String, CaseIterable, Sendable {
    case agent
    case engine
}

/// What one role may use.
struct GroupLimits: Sendable, Hashable {
    var memoryBytes: Int
    var vcpus: Int
    var processes: Int
}

/// The control-group hierarchies of this host: version 1 controllers, the unified one, or both.
///
/// An instance has `trove/<home>/<id>/{agent,engine}` in each. Source: cgroups(7), the kernel's cgroup-v1 and cgroup-v2.
struct ControlGroups: Sendable {
    struct Hierarchy: Sendable, Hashable {
        var root: String
        /// `memory`, `cpu`, `pids` as far as they are limited here; empty for a unified hierarchy without controllers.
        var controllers: Set<String>
        var isUnified: Bool
    }

    let paths: LocalPaths
    private(set) var hierarchies: [Hierarchy]

    var isAvailable: Bool { !hierarchies.isEmpty }

    /// Finds out what this host has, and leaves out what this process may not write to.
    init(paths: LocalPaths, isPrivileged: Bool, logger: Logger) {
        self.paths = paths
        hierarchies = []
        guard isPrivileged else { return }
        for hierarchy in Self.mounted() {
            var isUsable = true
            for directory in ["\(hierarchy.root)/trove", "\(hierarchy.root)/\(paths.homeGroup)"] where isUsable {
                isUsable = mkdir(directory, 0o755) == 0 || errno == EEXIST
                if isUsable { Self.enableControllers(above: directory, hierarchy) }
            }
            if isUsable {
                hierarchies.append(hierarchy)
            } else {
                logger.info("control group hierarchy is not writable", metadata: ["cgroup.root": "\(hierarchy.root)"])
            }
        }
        let limited = hierarchies.reduce(into: Set<String>()) { $0.formUnion($1.controllers) }
        let missing = Set(["memory", "cpu", "pids"]).subtracting(limited)
        if !missing.isEmpty {
            logger.warning(
                "limits of flavors are not enforced: the host offers no such control groups",
                metadata: ["cgroup.missing": "\(missing.sorted().joined(separator: ","))"])
        }
    }

    private static func mounted() -> [Hierarchy] {
        var found: [Hierarchy] = []
        let wanted: Set<String> = ["memory", "cpu", "pids"]
        for mount in MountEntry.all() {
            if mount.fileSystem == "cgroup" {
                let controllers = wanted.intersection(mount.superOptions)
                let known = found.contains { !$0.controllers.isDisjoint(with: controllers) }
                if !controllers.isEmpty, !known {
                    found.append(Hierarchy(root: mount.mountPoint, controllers: controllers, isUnified: false))
                }
            } else if mount.fileSystem == "cgroup2", !found.contains(where: \.isUnified) {
                let offered = HostFiles.readText("\(mount.mountPoint)/cgroup.controllers") ?? ""
                let controllers = wanted.intersection(offered.split(separator: " ").map(String.init))
                found.append(Hierarchy(root: mount.mountPoint, controllers: controllers, isUnified: true))
            }
        }
        return found
    }

    /// In a unified hierarchy a group gets the controllers that the group above hands down.
    private static func enableControllers(above directory: String, _ hierarchy: Hierarchy) {
        guard hierarchy.isUnified, let slash = directory.lastIndex(of: "/") else { return }
        for controller in hierarchy.controllers {
            _ = HostFiles.poke("\(directory[..<slash])/cgroup.subtree_control", "+\(controller)")
        }
    }

    func directories(_ id: String, _ role: GroupRole) -> [String] {
        hierarchies.map { "\($0.root)/\(paths.group(id))/\(role.rawValue)" }
    }

    /// `cgroup.procs` files through which a process joins.
    func procs(_ id: String, _ role: GroupRole) -> [String] { directories(id, role).map { "\($0)/cgroup.procs" } }

    /// `cgroup.kill` files that end the engine with everything it started.
    func killFiles(_ id: String, _ role: GroupRole) -> [String] {
        hierarchies.filter(\.isUnified).map { "\($0.root)/\(paths.group(id))/\(role.rawValue)/cgroup.kill" }
            .filter(HostFiles.exists)
    }

    /// Files whose `oom_kill` counts kills for memory in the engine's group.
    func oomFiles(_ id: String) -> [String] {
        hierarchies.filter { $0.controllers.contains("memory") }.map { hierarchy in
            let file = hierarchy.isUnified ? "memory.events" : "memory.oom_control"
            return "\(hierarchy.root)/\(paths.group(id))/engine/\(file)"
        }
    }

    /// Makes an instance's groups with their limits; existing ones get the limits anew.
    func make(_ id: String, agent: GroupLimits, engine: GroupLimits) throws(ComputeError) {
        for hierarchy in hierarchies {
            let top = "\(hierarchy.root)/\(paths.group(id))"
            for directory in ["\(hierarchy.root)/trove", "\(hierarchy.root)/\(paths.homeGroup)", top] {
                if mkdir(directory, 0o755) != 0, errno != EEXIST {
                    throw HostFiles.failure("make control group", directory, errno)
                }
                Self.enableControllers(above: directory, hierarchy)
            }
            for (role, limits) in [(GroupRole.agent, agent), (.engine, engine)] {
                let directory = "\(top)/\(role.rawValue)"
                if mkdir(directory, 0o755) != 0, errno != EEXIST {
                    throw HostFiles.failure("make control group", directory, errno)
                }
                Self.enableControllers(above: directory, hierarchy)
                try Self.limit(directory, hierarchy, limits)
            }
        }
    }

    private static func limit(_ directory: String, _ hierarchy: Hierarchy, _ limits: GroupLimits) throws(ComputeError) {
        let quota = limits.vcpus * 100_000
        var writes: [(file: String, text: String)] = []
        if hierarchy.controllers.contains("memory") {
            writes.append((hierarchy.isUnified ? "memory.max" : "memory.limit_in_bytes", "\(limits.memoryBytes)"))
        }
        if hierarchy.controllers.contains("cpu") {
            if hierarchy.isUnified {
                writes.append(("cpu.max", "\(quota) 100000"))
            } else {
                writes.append(("cpu.cfs_period_us", "100000"))
                writes.append(("cpu.cfs_quota_us", "\(quota)"))
            }
        }
        if hierarchy.controllers.contains("pids") { writes.append(("pids.max", "\(limits.processes)")) }
        for write in writes {
            let error = HostFiles.poke("\(directory)/\(write.file)", write.text)
            guard error == 0 else { throw HostFiles.failure("set the limit", "\(directory)/\(write.file)", error) }
        }
    }
}
