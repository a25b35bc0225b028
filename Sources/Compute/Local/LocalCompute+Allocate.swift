// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

extension LocalCompute {
    package func allocate(_ instanceID: String, ports: [Int]) async throws(ComputeError) -> Placement {
        try check(instanceID)
        return try await run(on: instanceID) { () throws(ComputeError) in
            if let record = PlacementRecord(HostFiles.readJSON(self.paths.placement(instanceID))) {
                try self.requireHere(record, instanceID)
                return record.placement
            }
            return try self.place(instanceID, ports)
        }
    }

    package func release(_ instanceID: String) async throws(ComputeError) {
        try check(instanceID)
        try await run(on: instanceID) { () throws(ComputeError) in
            let record = PlacementRecord(HostFiles.readJSON(self.paths.placement(instanceID)))
            try self.requireHere(record, instanceID)
            // Before somebody else may get the address.
            try self.removeAccess(instanceID)
            if let record {
                for (kind, value) in record.claims(isPrivileged: true) {
                    try self.claims.give(kind, value, from: instanceID)
                }
            } else {
                for kind in ClaimKind.allCases { try self.giveAll(kind, instanceID) }
            }
            try HostFiles.removeFile(self.paths.placement(instanceID))
            rmdir(self.paths.instance(instanceID))
            self.removeLock(Self.volumeKey(instanceID))
            unlink(self.paths.lock(instanceID))
        }
    }

    /// The placement that `allocate` made.
    func placement(_ id: String) throws(ComputeError) -> Placement {
        guard let record = PlacementRecord(HostFiles.readJSON(paths.placement(id))) else {
            throw ComputeError(.missing, "instance \(id) has no placement; allocate it first")
        }
        try requireHere(record, id)
        return record.placement
    }

    private func place(_ id: String, _ ports: [Int]) throws(ComputeError) -> Placement {
        let ports = try ports.map { port throws(ComputeError) in
            guard let port = UInt16(exactly: port), port > 0 else {
                throw ComputeError(.unsupported, "\(port) is not a TCP port")
            }
            return port
        }
        let wasHere = HostFiles.exists(paths.instance(id))
        try HostFiles.makeDirectory(paths.instance(id), mode: 0o711)
        if wasHere {
            // An earlier try may have claimed something without living to write it down.
            for kind in ClaimKind.allCases { try giveAll(kind, id) }
        }
        let address = try claimAddress(id, ports)
        let uid = configuration.isPrivileged ? try claimUID(id) : getuid()
        let record = PlacementRecord(Placement(address: address, uid: uid), host: configuration.host)
        try HostFiles.writeJSON(paths.placement(id), record.json)
        return record.placement
    }

    func giveAll(_ kind: ClaimKind, _ id: String) throws(ComputeError) {
        for claim in claims.all(kind) where claim.instanceID == id { try claims.give(kind, claim.value, from: id) }
    }

    /// Tries the range from a place that depends on the id, so that few tries meet a taken one.
    private func claimAddress(_ id: String, _ ports: [UInt16]) throws(ComputeError) -> String {
        var blocked: (address: String, port: UInt16)?
        let start = Int(StableHash.value(id.utf8) % UInt64(addresses.count))
        for offset in 0..<addresses.count {
            guard let address = addresses[start + offset] else { continue }
            guard try claims.take(.address, address, for: id) else { continue }
            guard let port = try firstTaken(address, ports) else { return address }
            try claims.give(.address, address, from: id)
            blocked = (address, port)
        }
        if let blocked {
            throw ComputeError(
                .addressInUse,
                "every address of \(configuration.addressRange) that is not claimed has a listener on a port that is "
                    + "needed, such as \(blocked.address):\(blocked.port); stop it or choose another range",
                isRetryable: true)
        }
        throw ComputeError(.exhausted, "all addresses of \(configuration.addressRange) are claimed; widen the range")
    }

    /// The first port that somebody listens on already; nil when all are free.
    private func firstTaken(_ address: String, _ ports: [UInt16]) throws(ComputeError) -> UInt16? {
        for port in ports {
            let error = clinux_probe_listen(address, port)
            if error == EADDRINUSE { return port }
            guard error == 0 else { throw HostFiles.failure("listen on", "\(address):\(port)", error) }
        }
        return nil
    }

    /// Claims a uid that no other instance of any home has.
    func claimUID(_ id: String) throws(ComputeError) -> UInt32 {
        let range = configuration.uidRange
        guard !range.isEmpty else { throw ComputeError(.exhausted, "the uid range is empty") }
        let start = UInt32(StableHash.value(id.utf8) % UInt64(range.count))
        for offset in 0..<UInt32(range.count) {
            let uid = range.lowerBound + (start + offset) % UInt32(range.count)
            if try claims.take(.uid, String(uid), for: id) { return uid }
        }
        throw ComputeError(
            .exhausted, "all uids of \(range.lowerBound)..<\(range.upperBound) are claimed; widen the range")
    }
}
