// SPDX-License-Identifier: Apache-2.0

import Calls
import Model
import StateStore

/// Loads instances as one caller may see them.
extension APICall {
    /// The live instance, or 404 with one text for a missing one and for another project's.
    ///
    /// - Parameter rule: Policy rule checked against the instance's project.
    func instance(_ id: String, rule: String, _ transaction: any StateTransaction) throws -> InstanceSummary {
        guard let summary = try transaction.instances.summary(id),
            context.isAdmin || summary.instance.projectID == context.projectID
        else { throw APIFault.missing(id) }
        try require(rule, owner: summary.instance.projectID)
        return summary
    }

    /// Throws 422 unless an action may be performed now. Source: REST contract §3.6.
    static func requireAvailable(_ summary: InstanceSummary) throws(APIFault) {
        let instance = summary.instance
        guard instance.serverStatus != .deleted else {
            throw APIFault(.unprocessableEntity, "Instance \(instance.id) is not ready.")
        }
        guard let reason = summary.status.unavailability else { return }
        throw APIFault(
            .unprocessableEntity,
            "Instance \(instance.id) is not currently available for an action to be performed \(reason)."
        )
    }

    /// A journal row on behalf of the caller.
    ///
    /// - Parameter host: Where the instance is that it is about; nil: any host.
    func journal(
        _ flow: FlowName, resourceID: String, projectID: String, host: String? = nil, _ input: JSONValue
    ) -> JournalRecord {
        var record = JournalRecord(
            id: services.random.uuid(), requestID: context.requestID, projectID: projectID, userID: context.userID,
            flow: flow.rawValue, resourceID: resourceID, input: input, created: now
        )
        record.host = host
        // At once, also where the database's clock is behind this one.
        record.notBefore = Timestamp(microseconds: 0)
        return record
    }

    /// Says that the journal has work, once it is committed.
    ///
    /// A bus that is away must not hold up an answer: the task manager finds the work by itself.
    func wakeTaskManager() async {
        services.bell.ring()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await services.taskManager.wake(context: context) }
            group.addTask { _ = try? await Task.sleep(for: .milliseconds(500)) }
            await group.next()
            group.cancelAll()
        }
    }
}
