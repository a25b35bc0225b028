// SPDX-License-Identifier: Apache-2.0

package import Model

/// Why an instance failed, for the tenant. One row of `instance_faults`.
package struct FaultRecord: Sendable, Hashable {
    package var instanceID: String
    /// At most 255 characters.
    package var message: String
    package var details: String?
    package var created: Timestamp
    package var updated: Timestamp

    package init(instanceID: String, message: String, details: String?, created: Timestamp) {
        self.instanceID = instanceID
        self.message = message
        self.details = details
        self.created = created
        updated = created
    }
}
