// SPDX-License-Identifier: Apache-2.0

package import Model

/// What the journal recorded, in one order that never changes: `JournalRepository` writes it in the transaction of each record.
///
/// Rows are numbered by their inserts, and transactions do not commit in that order. So an event has no position when it is
/// written; `order` gives one to all that are committed, in a transaction that one process at a time is in. A position that
/// can be seen thus has none below it that is still to come, and writers wait for nobody.
package protocol OperationEventRepository {
    /// Whether committed events wait for `order`.
    func hasUnordered() throws -> Bool
    /// Gives up to `limit` committed events their positions, in the order of their inserts.
    ///
    /// - Returns: How many.
    func order(limit: Int) throws -> Int
    /// Ordered events behind `position`, of one project or instance or of all.
    func page(after position: Int, projectID: String?, instanceID: String?, limit: Int) throws -> OperationEventPage
    /// The highest position ever given; 0 before the first.
    func head() throws -> Int
    /// Whether anything is kept of an instance of `projectID` (nil: of any project's).
    func hasEvents(instanceID: String, projectID: String?) throws -> Bool
    /// Durations of a flow's steps, latest first; the last `limit` that were recorded.
    func durations(flow: String, limit: Int) throws -> [(step: String, duration: Duration)]
    /// Removes events from before `time`, at most `limit` of them.
    ///
    /// - Returns: How many.
    func purge(before time: Timestamp, limit: Int) throws -> Int
}
