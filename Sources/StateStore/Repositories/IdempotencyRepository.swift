// SPDX-License-Identifier: Apache-2.0

package import Model

package protocol IdempotencyRepository {
    /// Takes a key for a request that nobody has begun, whose time is over, or whose first try ended before it changed anything.
    func claim(_ claim: IdempotencyClaim) throws -> IdempotencyOutcome
    /// Says in the transaction that changes something that the request is being done.
    ///
    /// - Throws: `.conflict` when somebody else has taken its place: then nothing is changed.
    func accept(id: String, owner: String) throws
    /// Stores the answer; nothing happens when somebody else has taken the request's place.
    func finish(id: String, owner: String, status: Int, answer: String) throws
    /// Gives the key back: it is free, unless something was changed under it.
    func release(id: String, owner: String) throws
    /// Removes at most `limit` keys that were claimed before `moment`, the oldest first.
    ///
    /// - Returns: How many there were.
    func purge(before moment: Timestamp, limit: Int) throws -> Int
}
