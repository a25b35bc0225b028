// SPDX-License-Identifier: Apache-2.0

package protocol QuotaRepository {
    /// Makes other transactions that admit something for the project wait for the end of this one (or fail and be
    /// repeated), so that what `usage` says afterwards holds until this one commits.
    func beginAdmission(projectID: String) throws
    /// Computed from live rows of the project; ram from `flavorRAM` (flavor id → MiB), 0 for a
    /// flavor that is not there. What instances are growing to counts from the moment that it is asked for.
    func usage(projectID: String, flavorRAM: [String: Int]) throws -> QuotaUsage
    /// Limits stored for the project, by resource name; absent means the default.
    func limits(projectID: String) throws -> [String: Int]
    func setLimit(projectID: String, resource: String, limit: Int) throws
}
