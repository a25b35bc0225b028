// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

/// What an instance may claim for itself on the whole host.
enum ClaimKind: String, CaseIterable, Sendable {
    case address
    case uid
}

/// Addresses and uids that homes on this host have taken, one file each: `claims/<kind>/<value>` with
/// `{"home", "instance"}`.
///
/// A claim appears together with its content, by link(2), so that a crash leaves either none or one that says whose it is.
struct Claims: Sendable {
    struct Owner: Sendable, Hashable {
        var home: String
        var instanceID: String
    }

    let paths: LocalPaths

    func directory(_ kind: ClaimKind) -> String { "\(paths.claims)/\(kind.rawValue)" }

    func prepare() throws(ComputeError) {
        try HostFiles.makeDirectories(paths.run, mode: 0o711)
        try HostFiles.makeDirectory(paths.claims, mode: 0o711)
        for kind in ClaimKind.allCases { try HostFiles.makeDirectory(directory(kind), mode: 0o711) }
    }

    /// Takes `value` for an instance of this home. True also when the instance has it already.
    func take(_ kind: ClaimKind, _ value: String, for instanceID: String) throws(ComputeError) -> Bool {
        if owner(kind, value) == Owner(home: paths.home, instanceID: instanceID) { return true }
        let path = "\(directory(kind))/\(value)"
        let ticket = "\(paths.claims)/.\(paths.homeDigest)-\(instanceID)-\(kind.rawValue)"
        let content: JSONValue = ["home": .string(paths.home), "instance": .string(instanceID)]
        defer { unlink(ticket) }
        for _ in 0..<3 {
            try HostFiles.whileOthersCleanUp { () throws(ComputeError) in
                try prepare()
                try HostFiles.writeAtomically(ticket, content.serialized)
            }
            if link(ticket, path) == 0 { return true }
            if errno == ENOENT { continue }
            guard errno == EEXIST else { throw HostFiles.failure("claim", path, errno) }
            guard let owner = owner(kind, value) else { continue }
            if owner == Owner(home: paths.home, instanceID: instanceID) { return true }
            guard try dropIfStale(kind, value) else { return false }
        }
        return false
    }

    /// Who has `value`; nil when nobody has.
    func owner(_ kind: ClaimKind, _ value: String) -> Owner? {
        guard let content = HostFiles.readJSON("\(directory(kind))/\(value)"),
            let home = content["home"]?.stringValue, let instanceID = content["instance"]?.stringValue
        else { return nil }
        return Owner(home: home, instanceID: instanceID)
    }

    /// Gives a claim of this home's instance back; somebody else's stays.
    func give(_ kind: ClaimKind, _ value: String, from instanceID: String) throws(ComputeError) {
        guard owner(kind, value) == Owner(home: paths.home, instanceID: instanceID) else { return }
        try HostFiles.removeFile("\(directory(kind))/\(value)")
    }

    /// Claims of this home, by reading all of them.
    func all(_ kind: ClaimKind) -> [(value: String, instanceID: String)] {
        HostFiles.list(directory(kind)).compactMap { value in
            guard let owner = owner(kind, value), owner.home == paths.home else { return nil }
            return (value, owner.instanceID)
        }
    }

    /// Removes the claim of a home that is gone. The lock keeps two homes from both removing it, the second one a fresh claim.
    private func dropIfStale(_ kind: ClaimKind, _ value: String) throws(ComputeError) -> Bool {
        let lock = open("\(paths.claims)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw HostFiles.failure("open", "\(paths.claims)/.lock", errno) }
        defer { close(lock) }
        let error = clinux_lock_file(lock)
        guard error == 0 else { throw HostFiles.failure("lock", "\(paths.claims)/.lock", error) }
        guard let owner = owner(kind, value) else { return true }
        guard !HostFiles.exists(owner.home) else { return false }
        try HostFiles.removeFile("\(directory(kind))/\(value)")
        return true
    }
}
