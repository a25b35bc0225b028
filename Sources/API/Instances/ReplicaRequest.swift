// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// What a request for replicas says. Source: REST contract §3.3.
struct ReplicaRequest: Sendable, Hashable {
    let sourceID: String
    let hasUsersOrDatabases: Bool
    let hasAddress: Bool

    /// The part of an instance's body that is about replicas; nil when it asks for none.
    ///
    /// - Throws: 400 for what cannot be said of replicas, or only of them.
    init?(_ instance: JSONValue) throws(APIFault) {
        guard let source = instance["replica_of"]?.stringValue else {
            let count = instance["replica_count"]?.intValue ?? 1
            guard count <= 1 else {
                throw APIFault(
                    400, "Replica count only valid when creating replicas. Cannot create \(count) instances."
                )
            }
            return nil
        }
        let refused = [
            ("flavorRef", "flavor"), ("datastore", "datastore"), ("volume", "volume"), ("locality", "locality"),
        ]
        for (key, word) in refused where instance[key].map({ !$0.isNull }) ?? false {
            throw APIFault(400, "Cannot specify \(word) when creating replicas.")
        }
        sourceID = source
        hasUsersOrDatabases = ["users", "databases"].contains { !(instance[$0]?.arrayValue ?? []).isEmpty }
        hasAddress = instance["nics"]?[0]?["ip_address"] != nil
    }

    /// Looks the source up and says why it has no replicas, in the contract's order.
    func refuse(_ call: APICall) async throws -> Never {
        let summary = try await call.services.store.read { transaction in
            try call.instance(sourceID, rule: "instance:create", transaction)
        }
        if hasUsersOrDatabases { throw APIFault(400, "Cannot create a replica with users or databases.") }
        if hasAddress { throw APIFault(400, "Cannot specify IP address when creating replicas.") }
        try APICall.requireAvailable(summary)
        throw APIFault(400, "Replication is not supported for the '\(summary.datastoreName)' datastore.")
    }
}
