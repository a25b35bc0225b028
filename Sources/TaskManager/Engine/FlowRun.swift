// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Model
package import StateStore
import Synchronization

/// One execution of a flow, as its steps see it.
package final class FlowRun: Sendable {
    package let record: JournalRecord
    package let services: FlowServices
    package let logger: Logger
    private let values: Mutex<[String: JSONValue]>

    package init(record: JournalRecord, services: FlowServices, logger: Logger) {
        self.record = record
        self.services = services
        self.logger = logger
        values = Mutex(record.scratch.objectValue ?? [:])
    }

    /// The request's identity, for calls made on its behalf.
    package var context: RequestContext {
        RequestContext(requestID: record.requestID, userID: record.userID, projectID: record.projectID)
    }

    package var input: JSONValue { record.input }

    /// What earlier steps left.
    package var scratch: JSONValue { .object(values.withLock { $0 }) }

    /// Leaves `value` for later steps; saved when the current step is recorded as done.
    package func remember(_ key: String, _ value: JSONValue) {
        values.withLock { $0[key] = value }
    }

    package func recall(_ key: String) -> JSONValue? { values.withLock { $0[key] } }

    /// A text that the input must hold.
    package func inputText(_ key: String) throws -> String {
        guard let text = input[key]?.stringValue else {
            throw FlowError("The journal row \(record.id) of flow \(record.flow) has no '\(key)'.")
        }
        return text
    }

    package func instance() async throws -> InstanceRecord {
        let id = try inputText("instance_id")
        guard let instance = try await services.store.read({ try $0.instances.find(id) }) else {
            throw FlowError("Instance \(id) does not exist any more.")
        }
        return instance
    }

    package func ledgerEntries(_ resources: [(kind: String, tag: String)], owner: String) -> [LedgerEntry] {
        let now = services.clock.now
        return resources.map { LedgerEntry(kind: $0.kind, tag: $0.tag, ownerID: owner, created: now) }
    }
}
