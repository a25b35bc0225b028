// SPDX-License-Identifier: Apache-2.0

/// Backups and the increments that add to them. One query an element: chains are short.
extension BackupRepository {
    /// What must be restored to have the backup: the full one first, then each increment, the backup itself last.
    ///
    /// - Throws: `.corrupt` when one of them is not there, or they go round.
    package func chain(of backup: BackupRecord) throws -> [BackupRecord] {
        var chain = [backup]
        while let parentID = chain[chain.count - 1].parentID {
            guard let parent = try find(parentID), !chain.contains(where: { $0.id == parentID }) else {
                throw StateStoreError(
                    .corrupt, "Backup \(parentID), which backup \(chain[chain.count - 1].id) adds to, is not there.")
            }
            chain.append(parent)
        }
        return chain.reversed()
    }

    /// The live increments that need the backup, each before what it adds to.
    package func descendants(of id: String) throws -> [BackupRecord] {
        try children(of: id).flatMap { try descendants(of: $0.id) + [$0] }
    }
}
