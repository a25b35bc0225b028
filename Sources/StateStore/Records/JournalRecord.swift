// SPDX-License-Identifier: Apache-2.0

package import Model

/// One accepted operation and how far it has come. One row of `journal`.
package struct JournalRecord: Sendable, Hashable {
    package enum State: String, Sendable { case ready, running, done, failed }

    package var id: String
    package var requestID: String
    package var projectID: String
    package var userID: String
    /// The flow's name, e.g. `create_instance`.
    package var flow: String
    /// The noun it works on: an instance or a backup id.
    package var resourceID: String
    package var input: JSONValue
    package var state: State
    /// Name of the step last recorded; empty before the first.
    package var step: String
    /// Whether that step's effect is done (recorded after it) or only begun.
    package var stepIsDone: Bool
    /// What steps left for later ones.
    package var scratch: JSONValue
    /// How often the current step has been tried.
    package var attempt: Int
    /// Not before this time.
    package var notBefore: Timestamp
    /// The host whose task managers alone may run it, because what its steps made is there; nil: any.
    package var host: String?
    package var leaseOwner: String?
    package var leaseExpires: Timestamp?
    /// Grows with each claim; a write with an older number is refused.
    package var fence: Int
    package var error: String?
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        id: String, requestID: String, projectID: String, userID: String, flow: String, resourceID: String,
        input: JSONValue, created: Timestamp
    ) {
        self.id = id
        self.requestID = requestID
        self.projectID = projectID
        self.userID = userID
        self.flow = flow
        self.resourceID = resourceID
        self.input = input
        state = .ready
        step = ""
        stepIsDone = false
        scratch = [:]
        attempt = 0
        notBefore = created
        fence = 0
        self.created = created
        updated = created
    }
}
