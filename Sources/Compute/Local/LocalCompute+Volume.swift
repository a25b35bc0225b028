// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

extension LocalCompute {
    package func createVolume(_ request: VolumeRequest) async throws(ComputeError) -> VolumePlacement {
        try check(request.instanceID)
        if let key = request.templateKey { try check(key) }
        guard request.sizeGiB >= 1 else {
            throw ComputeError(.unsupported, "a volume has at least 1 GiB, not \(request.sizeGiB)")
        }
        return try await run(on: Self.volumeKey(request.instanceID)) { () throws(ComputeError) in
            let owner = try self.placement(request.instanceID)
            if self.volumes.hasImages {
                self.spares.noteUse()
                try self.makeImageVolume(request, owner)
            } else {
                try self.makePlainVolume(request, owner)
            }
            if let key = request.templateKey { self.refillSpares(key) }
            return VolumePlacement(dataDirectory: self.dataDirectory(request.instanceID))
        }
    }

    package func deleteVolume(_ instanceID: String) async throws(ComputeError) {
        try check(instanceID)
        try await run(on: Self.volumeKey(instanceID)) { () throws(ComputeError) in
            let image = self.paths.image(instanceID)
            try self.requireHere(PlacementRecord(HostFiles.readJSON(self.paths.placement(instanceID))), instanceID)
            let trash = self.trashName()
            if self.volumes.hasImages { try self.volumes.unmount(image, at: self.paths.mount(instanceID)) }
            if HostFiles.exists(image) {
                try HostFiles.move(image, trash)
            } else if HostFiles.exists(self.paths.plainData(instanceID)) {
                try HostFiles.move(self.paths.plainData(instanceID), trash)
            }
            if HostFiles.exists(trash) { self.removeInBackground(trash) }
            try HostFiles.removeTree(self.paths.runInstance(instanceID))
            for name in HostFiles.list(self.paths.instance(instanceID))
            where !["placement.json", "access.json"].contains(name) {
                try HostFiles.removeTree("\(self.paths.instance(instanceID))/\(name)")
            }
            try self.promised.drop(instanceID)
        }
    }

    /// Where the engine's data is: the mount, or the plain directory.
    func dataDirectory(_ id: String) -> String { volumes.hasImages ? paths.mount(id) : paths.plainData(id) }

    /// Mounts a finished volume again if it is not mounted; one that is still being made is left to that.
    func attachFinishedVolume(_ id: String) async throws(ComputeError) {
        try await run(on: Self.volumeKey(id)) { () throws(ComputeError) in
            guard VolumeRecord(HostFiles.readJSON(self.paths.volumeRecord(id)))?.isReady == true else { return }
            try self.attachVolume(id)
        }
    }

    /// Mounts the volume of an instance again, if it has one that is not mounted.
    func attachVolume(_ id: String) throws(ComputeError) {
        guard volumes.hasImages, HostFiles.exists(paths.image(id)) else { return }
        try makeRunDirectory(id)
        try volumes.mount(paths.image(id), at: paths.mount(id))
    }

    /// `i/<id>/` with the mark whose it is, and the mount point.
    func makeRunDirectory(_ id: String) throws(ComputeError) {
        try HostFiles.whileOthersCleanUp { () throws(ComputeError) in
            try HostFiles.makeDirectories(paths.runInstances, mode: 0o711)
            try HostFiles.makeDirectory(paths.runInstance(id), mode: 0o711)
        }
        if !HostFiles.exists(paths.runOwner(id)) {
            try HostFiles.writeAtomically(paths.runOwner(id), Array(paths.home.utf8))
        }
        if volumes.hasImages { try HostFiles.makeDirectory(paths.mount(id), mode: 0o700) }
    }

    private func makeImageVolume(_ request: VolumeRequest, _ owner: Placement) throws(ComputeError) {
        let id = request.instanceID
        var record = try beginVolume(request)
        if record.isReady { return try attachVolume(id) }
        let image = paths.image(id)
        let wasThere = HostFiles.exists(image)
        if !wasThere { try makeImage(request, record.bytes) }
        if let size = HostFiles.size(image), size < record.bytes, truncate(image, off_t(record.bytes)) != 0 {
            throw HostFiles.failure("extend", image, errno)
        }
        try makeRunDirectory(id)
        if wasThere {
            try volumes.mount(image, at: paths.mount(id))
        } else {
            try volumes.mountNew(image, at: paths.mount(id))
        }
        try volumes.grow(paths.mount(id), to: record.bytes)
        try giveTree(paths.mount(id), to: owner)
        record.isReady = true
        try HostFiles.writeJSON(paths.volumeRecord(id), record.json)
    }

    private func makePlainVolume(_ request: VolumeRequest, _ owner: Placement) throws(ComputeError) {
        let id = request.instanceID
        var record = try beginVolume(request)
        guard !record.isReady else { return }
        let data = paths.plainData(id)
        let partial = data + ".partial"
        try HostFiles.removeTree(partial)
        if !HostFiles.exists(data) {
            if let key = request.templateKey {
                try requireTemplate(key, paths.templateTree(key))
                let error = clinux_copy_tree(paths.templateTree(key), partial)
                guard error == 0 else { throw HostFiles.failure("copy the template to", partial, error) }
            } else {
                try HostFiles.makeDirectory(partial, mode: 0o700)
            }
            try HostFiles.move(partial, data)
        }
        try giveTree(data, to: owner)
        record.isReady = true
        try HostFiles.writeJSON(paths.volumeRecord(id), record.json)
    }

    /// Promises the bytes and writes the record; returns the one of an earlier try if there is one.
    private func beginVolume(_ request: VolumeRequest) throws(ComputeError) -> VolumeRecord {
        let path = paths.volumeRecord(request.instanceID)
        if let record = VolumeRecord(HostFiles.readJSON(path)) {
            guard record.sizeGiB == request.sizeGiB else {
                throw ComputeError(
                    .failed,
                    "instance \(request.instanceID) has a volume of \(record.sizeGiB) GiB already, "
                        + "not \(request.sizeGiB)")
            }
            return record
        }
        let record = VolumeRecord(sizeGiB: request.sizeGiB, templateKey: request.templateKey, isReady: false)
        try promised.reserve(request.instanceID, gibibytes: record.sizeGiB)
        try HostFiles.writeJSON(path, record.json)
        return record
    }

    private func makeImage(_ request: VolumeRequest, _ bytes: UInt64) throws(ComputeError) {
        let image = paths.image(request.instanceID)
        guard let key = request.templateKey else {
            return try volumes.format(image, bytes: bytes)
        }
        if takeSpare(key, for: image) { return }
        try requireTemplate(key, paths.templateImage(key))
        try volumes.copy(paths.templateImage(key), to: image, bytes: bytes, isSynced: false)
    }

    private func requireTemplate(_ key: String, _ path: String) throws(ComputeError) {
        guard HostFiles.exists(path) else {
            throw ComputeError(.missing, "template \(key) is not there; make it first", isRetryable: true)
        }
    }

    private func giveTree(_ path: String, to owner: Placement) throws(ComputeError) {
        let gid = configuration.isPrivileged ? owner.uid : getgid()
        let error = clinux_chown_tree(path, owner.uid, gid)
        guard error == 0 else { throw HostFiles.failure("set the owner of", path, error) }
        guard chmod(path, 0o700) == 0 else { throw HostFiles.failure("set the mode of", path, errno) }
    }
}
