// SPDX-License-Identifier: Apache-2.0

package protocol LedgerRepository {
    /// Writes entries that are not there yet.
    func add(_ entries: [LedgerEntry]) throws
    func strike(kind: String, tag: String) throws
    func strike(ownerID: String, kinds: [String]) throws
    func all() throws -> [LedgerEntry]
    func owned(by ownerID: String) throws -> [LedgerEntry]
}
