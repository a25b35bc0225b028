// SPDX-License-Identifier: Apache-2.0

package import Model

package protocol JournalRepository {
    func insert(_ record: JournalRecord) throws
    func find(_ id: String) throws -> JournalRecord?
    /// Claims the oldest row that is due by the database's clock and free for `host`; fence + 1, state running.
    ///
    /// A running row is taken over only when it is listed in `stealing`, whatever its lease says: clocks step, so whoever
    /// lists it has seen with a clock that does not that nobody renewed it. A ready row whose resource has another row
    /// running is passed over, whoever runs that one.
    ///
    /// - Parameters:
    ///   - owner: Who claims.
    ///   - host: Rows of no host, which belong to it from then on, and rows of it; nil: rows of no host, which stay so.
    ///   - lease: How long the claim holds without renewal.
    ///   - resourceIDs: Whose rows are passed over.
    ///   - stealing: Claims that are known to be dead, as `held` told them.
    func claim(
        owner: String, host: String?, lease: Duration, excluding resourceIDs: [String], stealing: [JournalLease]
    ) throws -> JournalRecord?
    /// Claims whose lease has expired by the database's clock, oldest row first.
    func expired() throws -> [JournalLease]
    /// Every claim that is held, whatever the clock says of its lease; oldest row first.
    func held() throws -> [JournalLease]
    /// Makes every ready row that is due later than `limit` due then.
    ///
    /// Nobody postpones a row for longer than a minute: a later time was written by a clock that was put back since.
    func hasten(to limit: Timestamp) throws
    /// When the next row that `host` may claim becomes due, a running one with the end of its lease; nil without one.
    ///
    /// Rows that wait for another row of their resource do not count: they become due with that one's end.
    func nextDue(host: String?) throws -> Timestamp?
    /// Extends the lease of `id`; `.conflict` when the fence has moved on.
    func renew(_ id: String, fence: Int, until: Timestamp) throws
    /// Writes step, done flag, scratch and attempt; `.conflict` when the fence has moved on.
    func record(
        _ id: String, fence: Int, step: String, isDone: Bool, scratch: JSONValue, attempt: Int, now: Timestamp
    ) throws
    /// Gives the row back to be claimed not before `notBefore`.
    func postpone(_ id: String, fence: Int, notBefore: Timestamp, error: String?, now: Timestamp) throws
    /// Ends the row as done or failed, and blots out the secrets in its input and scratch (`JSONValue.redacted`).
    func finish(_ id: String, fence: Int, state: JournalRecord.State, error: String?, now: Timestamp) throws
    /// Removes every member of the row's input but `keys` (passwords are not kept longer than they are needed).
    func scrubInput(_ id: String, keeping keys: [String]) throws
    /// Rows that are not finished, for one resource or for all.
    func live(resourceID: String?) throws -> [JournalRecord]
    /// Makes every row leased by `owner` claimable at once (a clean stop, or a restart under the same name); fence + 1.
    func release(owner: String) throws
}
