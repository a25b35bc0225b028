// SPDX-License-Identifier: Apache-2.0

/// Elections: a name has one owner at a time, by the database's clock.
package protocol LeaseRepository {
    /// Takes, renews or takes over (once it has expired) the lease `name`.
    ///
    /// - Parameters:
    ///   - name: At most 255 characters.
    ///   - owner: Not empty, at most 255 characters; unique for a process incarnation.
    ///   - duration: From now, by the database's clock.
    /// - Returns: The fence, which grows with every change of owner; nil while another owner holds the lease.
    func acquire(_ name: String, owner: String, for duration: Duration) throws -> Int?
    /// Gives it back; nothing happens when another owner holds it.
    func release(_ name: String, owner: String) throws
    /// nil when it was never taken or was given back; one that has expired is found.
    func find(_ name: String) throws -> LeaseRecord?
    /// Every lease that `find` finds, by name.
    func all() throws -> [LeaseRecord]
}
