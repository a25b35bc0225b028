// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// The directories that a guest works in.
struct GuestPlaces: Sendable, Hashable {
    /// The engine's data, owned by its uid.
    var data: String
    /// Sockets; owned by the engine's uid, short.
    var run: String
    /// The agent's; it opens log files and hands them to the engine.
    var log: String
    /// The agent's own.
    var state: String
}

extension LocalCompute {
    func makePlaces(_ id: String, _ places: GuestPlaces, _ owner: Placement) throws(ComputeError) {
        try makeRunDirectory(id)
        for directory in [places.log, places.state] { try HostFiles.makeDirectory(directory, mode: 0o700) }
        try HostFiles.makeDirectory(places.run, mode: 0o700)
        if configuration.isPrivileged, chown(places.run, owner.uid, owner.uid) != 0 {
            throw HostFiles.failure("set the owner of", places.run, errno)
        }
    }

    func engineLimits(_ flavor: Flavor) -> GroupLimits {
        let vcpus = max(1, flavor.vcpus)
        return GroupLimits(memoryBytes: max(32, flavor.ramMiB) << 20, vcpus: vcpus, processes: 1024 + 1024 * vcpus)
    }

    func agentLimits(_ flavor: Flavor) -> GroupLimits {
        GroupLimits(
            memoryBytes: max(64, configuration.agentMemoryMiB) << 20, vcpus: max(1, flavor.vcpus), processes: 512)
    }

    /// The guest's configuration: `base` with what only this driver knows.
    func guestConfiguration(
        _ id: String, _ base: JSONValue, _ owner: Placement, _ flavor: Flavor, _ places: GuestPlaces, mode: String
    ) -> JSONValue {
        let isPrivileged = configuration.isPrivileged
        let own: [String: JSONValue] = [
            "instance_id": .string(id), "mode": .string(mode),
            "address": .string(owner.address), "uid": .int(Int64(owner.uid)),
            "gid": .int(Int64(isPrivileged ? owner.uid : getgid())), "set_ids": .bool(isPrivileged),
            "memory_mb": .int(Int64(flavor.ramMiB)), "vcpus": .int(Int64(flavor.vcpus)),
            "cgroup_procs": .array(groups.procs(id, .engine).map(JSONValue.string)),
            "cgroup_kill": .array(groups.killFiles(id, .engine).map(JSONValue.string)),
            "oom": .array(groups.oomFiles(id).map(JSONValue.string)),
            "data_dir": .string(places.data), "run_dir": .string(places.run), "log_dir": .string(places.log),
            "state_dir": .string(places.state),
        ]
        return .object((base.objectValue ?? [:]).merging(own) { $1 })
    }
}
