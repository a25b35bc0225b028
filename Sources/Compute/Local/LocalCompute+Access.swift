// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Model

/// Who may connect to instances: records on disk say it, and the home's packet filter is made of them.
extension LocalCompute {
    package func accessResources(for instanceID: String) -> [ComputeResource] {
        [ComputeResource(kind: Self.filterKind, tag: filter.tag(instanceID), ownerID: instanceID)]
    }

    package func setAccess(_ instanceID: String, allowed: [String]) async throws(ComputeError) {
        try check(instanceID)
        let record = try AccessRecord(allowed: allowed)
        try await run(on: instanceID) { () throws(ComputeError) in
            guard !record.isOpen else { return try self.removeAccess(instanceID) }
            _ = try self.placement(instanceID)
            if let refusal = self.filter.refusal() { throw ComputeError(.unsupported, refusal) }
            try self.withFilter { () throws(ComputeError) in
                let path = self.paths.accessRecord(instanceID)
                let before = HostFiles.read(path)
                try HostFiles.writeJSON(path, record.json)
                do throws(ComputeError) {
                    try self.applyRecords()
                } catch {
                    // What is not in effect is not recorded either, or the next change of another instance would enforce it.
                    if let before { try HostFiles.writeAtomically(path, before) } else { unlink(path) }
                    throw error
                }
            }
        }
    }

    /// Opens an instance to everybody and forgets its rules. Nothing is done for one that has none.
    func removeAccess(_ id: String) throws(ComputeError) {
        guard HostFiles.exists(paths.accessRecord(id)) else { return }
        try withFilter { () throws(ComputeError) in
            try self.applyRecords(without: id)
            try HostFiles.removeFile(self.paths.accessRecord(id))
        }
    }

    /// Enforces an instance's rules from its control group's beginning on: the filter knows the group by its inode.
    func enforceAccess(_ id: String) throws(ComputeError) {
        guard HostFiles.exists(paths.accessRecord(id)) else { return }
        try withFilter { () throws(ComputeError) in try self.applyRecords() }
    }

    /// Makes the filter anew where the host has lost it, or has more than the records say.
    func mendFilter() {
        do throws(ComputeError) {
            guard filter.isPresent else {
                guard restricted().isEmpty else {
                    throw ComputeError(.unsupported, filter.refusal() ?? "the filter cannot be used")
                }
                return
            }
            try withFilter { () throws(ComputeError) in
                let (wanted, found) = (Set(self.restricted()), try self.filteredIDs())
                guard found.map({ $0 != wanted }) ?? !wanted.isEmpty else { return }
                self.configuration.logger.notice(
                    "access rules are enforced again", metadata: ["instance.count": "\(wanted.count)"])
                try self.applyRecords()
            }
        } catch {
            configuration.logger.error(
                "access rules of instances are not enforced", metadata: ["error.message": "\(error.message)"])
        }
    }

    /// Instances with a chain, for the inventory.
    func filtered() throws(ComputeError) -> [ComputeResource] {
        (try filteredIDs() ?? []).flatMap { accessResources(for: $0) }
    }

    /// Instances with a chain; nil without a table, and where no instance needs one and the host has no nftables.
    private func filteredIDs() throws(ComputeError) -> Set<String>? {
        do throws(ComputeError) {
            return try filter.instances()
        } catch {
            guard restricted().isEmpty else { throw error }
            return nil
        }
    }

    /// Removes the home's table, whatever is in it.
    func removeFilter() throws(ComputeError) {
        guard try filteredIDs() != nil else { return }
        try withFilter { () throws(ComputeError) in try self.filter.replace([]) }
    }

    private static var filterKind: String { "filter" }

    private func restricted() -> [String] {
        instanceIDs().filter { HostFiles.exists(paths.accessRecord($0)) && isHere($0) }
    }

    /// One process of the host at a time reads the records and makes the filter.
    private func withFilter(_ body: () throws(ComputeError) -> Void) throws(ComputeError) {
        let lock = try FileLock.take(
            paths.lock("@access"), within: configuration.lockTimeout, "the access rules of instances")
        defer { lock.release() }
        try body()
    }

    private func applyRecords(without excluded: String? = nil) throws(ComputeError) {
        let entries = try restricted().filter { $0 != excluded }.sorted().map { id throws(ComputeError) in
            guard let record = AccessRecord(HostFiles.readJSON(paths.accessRecord(id))) else {
                throw ComputeError(
                    .failed, "\(paths.accessRecord(id)) is not what this control plane writes; set the access again")
            }
            return AccessFilter.Entry(
                instanceID: id, address: try placement(id).address, allowed: record.allowed,
                hasGroup: groups.hasUnifiedGroup(id))
        }
        try filter.replace(entries)
    }
}

extension ControlGroups {
    /// Where the unified hierarchy is mounted; nil without one.
    var unifiedRoot: String? { hierarchies.first(where: \.isUnified)?.root }

    func hasUnifiedGroup(_ id: String) -> Bool {
        unifiedRoot.map { HostFiles.exists("\($0)/\(paths.group(id))") } ?? false
    }
}
