// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Writes many heartbeats in one transaction.
enum HeartbeatBatch {
    /// Writes those that are newer than what any conductor has written.
    ///
    /// - Returns: Instances whose service status is another one now.
    static func write(_ items: [HeartbeatQueue.Item], _ transaction: any StateTransaction) throws -> [String] {
        // In one order, so that two conductors do not wait for each other.
        let items = items.sorted { $0.report.instanceID < $1.report.instanceID }
        let isNewer = try transaction.conductorLastSeen.advance(
            items.map { LastSeenMark(instanceID: $0.report.instanceID, method: "heartbeat", sent: $0.sent) })
        return try transaction.instances.setServices(zip(items, isNewer).filter(\.1).map(\.0.report))
    }
}
