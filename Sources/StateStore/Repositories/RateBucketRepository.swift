// SPDX-License-Identifier: Apache-2.0

package import Model

package protocol RateBucketRepository {
    /// The bucket of a project and verb, made when there is none. Others who want it wait for the end of this transaction.
    ///
    /// - Parameter verb: At most 16 characters.
    func lock(projectID: String, verb: String) throws -> RateBucket
    /// Stores what was locked and changed in this transaction.
    func save(_ bucket: RateBucket, projectID: String, verb: String) throws
    /// A project's buckets by verb.
    func all(projectID: String) throws -> [String: RateBucket]
    /// Removes at most `limit` buckets that nobody has touched since `moment`, the oldest first.
    ///
    /// - Returns: How many there were.
    func purge(before moment: Timestamp, limit: Int) throws -> Int
}
