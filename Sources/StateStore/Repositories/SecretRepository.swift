// SPDX-License-Identifier: Apache-2.0

package import Model

/// Secrets and containers of the key manager inside the control plane.
package protocol SecretRepository {
    func insert(_ record: SecretRecord) throws
    /// Also one that has expired.
    func find(_ id: String) throws -> SecretRecord?
    /// Secrets of a project that have not expired, oldest first.
    func page(projectID: String, _ filter: SecretFilter, now: Timestamp, offset: Int, limit: Int) throws
        -> [SecretRecord]
    func count(projectID: String, _ filter: SecretFilter, now: Timestamp) throws -> Int
    /// Gives a payload to a secret that has none.
    ///
    /// - Throws: `.conflict` when it has one; `.notFound`.
    func setPayload(_ id: String, contentType: String, payload: String, now: Timestamp) throws
    /// Removes it, also from containers.
    ///
    /// - Throws: `.notFound`.
    func remove(_ id: String) throws
    /// Removes what has expired.
    func removeExpired(projectID: String, now: Timestamp) throws

    /// - Throws: `.notFound` when a secret in it is not there.
    func insertContainer(_ record: SecretContainerRecord) throws
    func container(_ id: String) throws -> SecretContainerRecord?
    /// Containers of a project, oldest first; nil means any.
    func containers(
        projectID: String, name: String?, type: String?, offset: Int, limit: Int
    ) throws -> [SecretContainerRecord]
    func countContainers(projectID: String, name: String?, type: String?) throws -> Int
    /// Removes it; its secrets stay.
    ///
    /// - Throws: `.notFound`.
    func removeContainer(_ id: String) throws
}
