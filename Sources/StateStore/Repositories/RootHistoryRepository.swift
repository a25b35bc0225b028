// SPDX-License-Identifier: Apache-2.0

package import Model

/// Who enabled root last, and when ("ever enabled").
package protocol RootHistoryRepository {
    func record(instanceID: String, userID: String, now: Timestamp) throws
    func find(instanceID: String) throws -> (userID: String, created: Timestamp)?
    func clear(instanceID: String) throws
}
