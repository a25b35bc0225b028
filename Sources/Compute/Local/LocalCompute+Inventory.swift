// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import Synchronization

extension LocalCompute {
    package func resources(for instanceID: String, effect: ComputeEffect) -> [ComputeResource] {
        func resource(_ kind: String, _ tag: String) -> ComputeResource {
            ComputeResource(kind: kind, tag: tag, ownerID: instanceID)
        }
        switch effect {
        case .allocate:
            let uid = configuration.isPrivileged ? [resource("uid", instanceID)] : []
            return uid + [resource("address", instanceID), resource("directory", paths.instance(instanceID))]
        case .createVolume:
            guard volumes.hasImages else { return [resource("directory", paths.plainData(instanceID))] }
            return [
                resource("image", paths.image(instanceID)), resource("loop", paths.image(instanceID)),
                resource("mount", paths.mount(instanceID)), resource("directory", paths.runInstance(instanceID)),
            ]
        case .boot:
            let group = groups.isAvailable ? [resource("cgroup", paths.group(instanceID))] : []
            let run = volumes.hasImages ? [] : [resource("directory", paths.runInstance(instanceID))]
            return group + run + [
                resource("process", paths.guestConfiguration(instanceID)),
                resource("engine", engineTag(instanceID)),
                resource("directory", paths.sockets(instanceID)),
            ]
        }
    }

    package func inventory() async throws(ComputeError) -> [ComputeResource] {
        try await background.run { () throws(ComputeError) in }
        return try await pool.run { () throws(ComputeError) in
            // Templates that were in the making before the look or are now.
            var keys = Set(self.keysInTheMaking())
            let elsewhere = Set(self.instanceIDs().filter { !self.isHere($0) })
            var found = Set(self.directories() + self.claimed() + self.attached() + self.running())
            found.formUnion(try self.filtered())
            keys.formUnion(self.keysInTheMaking())
            let building = Set(keys.map(self.buildID))
            let places = keys.map { self.buildDirectory($0) + "/" }
            found = found.filter { resource in
                guard let id = resource.ownerID else { return !places.contains { resource.tag.hasPrefix($0) } }
                return !building.contains(id) && !elsewhere.contains(id)
                    && (self.isKeeper || !id.hasPrefix(Self.buildPrefix))
            }
            return found.sorted { ($0.kind, $0.tag) < ($1.kind, $1.tag) }
        }
    }

    /// Removes the home's run directory and control group, and the host-wide ones when nothing is left in them.
    ///
    /// For the end of a home whose instances are deleted; what is still in use stays.
    package func cleanUp() async throws(ComputeError) {
        try await background.run { () throws(ComputeError) in }
        try await pool.run { () throws(ComputeError) in
            try HostFiles.removeTree(self.paths.homeRun)
            try self.removeFilter()
            self.groups.removeHome()
            for id in HostFiles.list(self.paths.runInstances) where self.isOurRun(id) {
                rmdir(self.paths.runInstance(id))
            }
            rmdir(self.paths.runInstances)
            for kind in ClaimKind.allCases { rmdir(self.claims.directory(kind)) }
            let left = HostFiles.list(self.paths.claims)
            if left.isEmpty || left == [".lock"] {
                try HostFiles.removeFile("\(self.paths.claims)/.lock")
                rmdir(self.paths.claims)
            }
            rmdir(self.paths.run)
        }
    }

    private func engineTag(_ id: String) -> String { "\(paths.group(id))/\(GroupRole.engine.rawValue)" }

    /// The id in a path below the home's or the host's instance directories; nil for any other path.
    private func ownerID(of path: String) -> String? {
        for base in [paths.instances, paths.runInstances] where path.hasPrefix(base + "/") {
            return path.dropFirst(base.count + 1).split(separator: "/").first.map(String.init)
        }
        return nil
    }

    private func resource(_ kind: String, _ path: String) -> ComputeResource {
        ComputeResource(kind: kind, tag: path, ownerID: ownerID(of: path))
    }

    private func isOurRun(_ id: String) -> Bool {
        HostFiles.readText(paths.runOwner(id)) == paths.home || HostFiles.exists(paths.instance(id))
    }

    private func directories() -> [ComputeResource] {
        var found: [ComputeResource] = []
        for id in instanceIDs() {
            found.append(resource("directory", paths.instance(id)))
            for image in HostFiles.list(paths.instance(id)) where image.hasPrefix("volume.img") {
                found.append(resource("image", "\(paths.instance(id))/\(image)"))
            }
            for data in HostFiles.list(paths.instance(id)) where data == "data" || data == "data.partial" {
                found.append(resource("directory", "\(paths.instance(id))/\(data)"))
            }
        }
        // What could not be removed still takes space; another process removes its own.
        let trash = isKeeper ? HostFiles.list(paths.trash) : []
        found += trash.filter { $0.hasPrefix(ProcessMark.own + "-") || !ProcessMark.isAlive($0) }.map { name in
            ComputeResource(kind: "image", tag: "\(paths.trash)/\(name)", ownerID: nil)
        }
        for id in HostFiles.list(paths.runInstances) where isOurRun(id) {
            found.append(resource("directory", paths.runInstance(id)))
            if HostFiles.exists(paths.sockets(id)) { found.append(resource("directory", paths.sockets(id))) }
        }
        return found
    }

    private func claimed() -> [ComputeResource] {
        ClaimKind.allCases.flatMap { kind in
            claims.all(kind).map { claim in
                // A claim that its instance knows nothing of has a name of its own, so that it is seen beside the right one.
                let isPlaced = placedValue(kind, claim.instanceID).map { $0 == claim.value } ?? true
                let tag = isPlaced ? claim.instanceID : "\(claim.instanceID)/\(claim.value)"
                return ComputeResource(kind: kind.rawValue, tag: tag, ownerID: claim.instanceID)
            }
        }
    }

    /// What the instance's placement says that it has; nil without a placement.
    private func placedValue(_ kind: ClaimKind, _ id: String) -> String? {
        guard let placement = try? placement(id) else { return nil }
        switch kind {
        case .address: return placement.address
        case .uid: return "\(placement.uid)"
        }
    }

    private func attached() -> [ComputeResource] {
        let home = paths.home + "/"
        // A process that starts looks for a moment whether the host can mount.
        func isOurs(_ image: String) -> Bool {
            image.hasPrefix(home) && !(image.hasPrefix(paths.trash + "/") && image.hasSuffix(VolumeHost.probeSuffix))
        }
        var found = LoopTable.all(where: isOurs).map { resource("loop", $0.image) }
        for mount in MountEntry.all() {
            let isOurImage =
                mount.source.hasPrefix("/dev/loop")
                && Int32(mount.source.dropFirst(9)).flatMap(LoopTable.image).map(isOurs) == true
            let isInOurRun =
                mount.mountPoint.hasPrefix(paths.runInstances + "/")
                && ownerID(of: mount.mountPoint).map(isOurRun) == true
            if isOurImage || isInOurRun { found.append(resource("mount", mount.mountPoint)) }
        }
        return found
    }

    private func running() -> [ComputeResource] {
        var found: [ComputeResource] = []
        for id in groups.groups() {
            found.append(ComputeResource(kind: "cgroup", tag: paths.group(id), ownerID: id))
            if !groups.processes(id, .engine).isEmpty {
                found.append(ComputeResource(kind: "engine", tag: engineTag(id), ownerID: id))
            }
        }
        let table = ProcessEntry.all()
        for entry in table {
            guard let path = entry.configuration, path.hasPrefix(paths.home + "/") else { continue }
            found.append(resource("process", path))
        }
        guard !groups.isAvailable else { return found }
        for id in instanceIDs() {
            let agents = Set(table.filter { $0.configuration == paths.guestConfiguration(id) }.map(\.pid))
            let family = ProcessTable.family(
                of: agents.first, directories: [paths.instance(id), paths.runInstance(id)], in: table)
            if !family.subtracting(agents).isEmpty {
                found.append(ComputeResource(kind: "engine", tag: engineTag(id), ownerID: id))
            }
        }
        return found
    }
}
