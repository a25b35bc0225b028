// SPDX-License-Identifier: Apache-2.0

package import Model

/// One thing that the journal recorded of an operation, kept beside it for those who follow a project.
package struct OperationEventRecord: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case operationAccepted = "operation_accepted"
        case stepStarted = "step_started"
        case stepDone = "step_done"
        /// The step failed, and is tried again later.
        case stepRetried = "step_retried"
        case stepFailed = "step_failed"
        case operationDone = "operation_done"
        case operationFailed = "operation_failed"
    }

    /// Ascends in the order in which events became visible; unique in the store, also of events that were removed.
    package var position: Int
    package var kind: Kind
    package var projectID: String
    /// nil for an operation on something else.
    package var instanceID: String?
    package var resourceID: String
    package var operationID: String
    package var requestID: String
    package var userID: String
    package var flow: String
    /// Empty before the first one.
    package var step: String
    /// Of the step, from 1.
    package var attempt: Int
    /// Why a step or an operation failed, for the tenant.
    package var cause: String?
    /// How long the step's last attempt, or the operation since it was accepted, took; nil for what only begins.
    package var duration: Duration?
    package var created: Timestamp
}

/// Where followers of all projects are.
package struct OperationEventPage: Sendable {
    package var events: [OperationEventRecord]
    /// Every event that matches up to this position has been read.
    package var position: Int
}
