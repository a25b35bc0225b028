// SPDX-License-Identifier: Apache-2.0

package protocol FaultRepository {
    /// Inserts or replaces the instance's fault; the message is cut at 255 characters.
    func save(_ record: FaultRecord) throws
    func find(instanceID: String) throws -> FaultRecord?
    func clear(instanceID: String) throws
}
