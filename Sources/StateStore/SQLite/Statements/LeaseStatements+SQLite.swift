// SPDX-License-Identifier: Apache-2.0

extension LeaseStatements {
    private static let select = "SELECT name, owner, fence, expires FROM leases WHERE owner <> ''"

    static let sqlite = LeaseStatements(
        ensure: "INSERT INTO leases (name, owner, fence, expires) VALUES (?, '', 0, 0) ON CONFLICT (name) DO NOTHING",
        // The transaction is the only one that writes.
        lock: "SELECT owner, fence, expires FROM leases WHERE name = ?",
        take: "UPDATE leases SET owner = ?, fence = ?, expires = ? WHERE name = ?",
        release: "UPDATE leases SET owner = '', expires = 0 WHERE name = ? AND owner = ?",
        find: "\(select) AND name = ?",
        all: "\(select) ORDER BY name"
    )
}
