// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Keeps operations on the host that has their instance.
enum Placing {
    /// The row's instance is on another host, so its operations are not for this one.
    struct Elsewhere: Error {
        var resourceID: String
    }

    /// Makes `host` the instance's when a create was claimed there.
    ///
    /// Operations on an instance name its host from the start, unless they were accepted before it had one.
    ///
    /// - Throws: `Elsewhere`, which undoes the claim.
    static func settle(
        _ record: JournalRecord, _ host: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        guard let id = record.input["instance_id"]?.stringValue, var instance = try transaction.instances.find(id)
        else { return }
        if let place = instance.computeHost {
            guard place == host else { throw Elsewhere(resourceID: record.resourceID) }
            return
        }
        guard record.flow == FlowName.createInstance.rawValue else { return }
        instance.computeHost = host
        _ = try transaction.instances.save(instance, now: now)
    }
}
