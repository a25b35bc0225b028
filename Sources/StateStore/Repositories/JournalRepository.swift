// SPDX-License-Identifier: Apache-2.0

package import Model

package protocol JournalRepository {
    func insert(_ record: JournalRecord) throws
    func find(_ id: String) throws -> JournalRecord?
    /// Claims the oldest row that is ready (or whose lease has expired) and due; fence + 1, state running.
    ///
    /// A row whose resource has another row running under a lease that has not expired is passed over, whoever runs it.
    func claim(owner: String, now: Timestamp, lease: Duration, excluding resourceIDs: [String]) throws -> JournalRecord?
    /// When the next row becomes due, a running one with the end of its lease; nil without one.
    ///
    /// Rows that wait for another row of their resource do not count: they become due with that one's end.
    func nextDue() throws -> Timestamp?
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
