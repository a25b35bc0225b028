// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore

/// What an administrator may do with an instance's server.
extension InstanceManagementActions {
    static let migrateSchema = Schema.object(["host": .oneOf([.string(minimum: 1), .null])])
    static let rebuildSchema = Schema.object(["image_id": .uuid], required: ["image_id"], isClosed: true)

    /// Nothing moves: local compute has each instance where its volume is. What is asked for decides which sentence says so.
    static func migrate(_ id: String, to host: String?, _ call: APICall) async throws {
        let own = await call.configuration.hostFacts()?.name
        try await call.announcing(.instanceMigrate, ["host": .optional(host)]) { _ in
            let (instance, known) = try await call.services.store.read { transaction in
                let summary = try call.managedInstance(id, transaction)
                try APICall.requireAvailable(summary)
                return (summary.instance, try transaction.instances.countsByHost().map(\.name))
            }
            let hosts = Set(known + (own.map { [$0] } ?? [])).sorted()
            let here = instance.computeHost ?? own
            if let host {
                guard hosts.contains(host) else {
                    throw APIFault(
                        400,
                        "There is no host '\(host)'. Hosts: \(hosts.isEmpty ? "none" : hosts.joined(separator: ", ")).")
                }
                guard host != here else { throw APIFault(400, "Instance \(id) is on host '\(host)' already.") }
            } else if hosts.allSatisfy({ $0 == here }) {
                throw APIFault.unsupported(
                    "Instance \(id) cannot be migrated: there is no host but \(here ?? "this one").")
            }
            throw APIFault.unsupported(
                "Instance \(id) cannot be migrated: its volume is on host \(here ?? "this one") and cannot be moved; make an"
                    + " instance from a backup on the other host.")
        }
    }

    /// In any state but one that a flow works on.
    static func rebuild(_ id: String, image: String, _ call: APICall) async throws {
        try await call.announcing(.instanceRebuild, ["instance_id": .string(id)]) { announcement in
            try await call.services.store.write(.durable) { transaction in
                let instance = try call.managedInstance(id, transaction).instance
                try call.requireIdle(instance, transaction)
                try requireOwnImage(image, instance, transaction)
                try transaction.instances.setTask(id, to: .building, expecting: [instance.task], now: call.now)
                try transaction.instances.setService(id, to: .restarting, heartbeat: call.now)
                try announcement.insert(
                    call.journal(
                        .rebuildInstance, resourceID: id, projectID: instance.projectID, host: instance.computeHost,
                        ["instance_id": .string(id)]),
                    transaction)
            }
        }
        await call.wakeTaskManager()
    }

    /// A server here is made of its version's programs. That version is named by its image, or by its id where it has none.
    private static func requireOwnImage(
        _ image: String, _ instance: InstanceRecord, _ transaction: any StateTransaction
    ) throws {
        guard let version = try transaction.datastores.version(instance.datastoreVersionID) else {
            throw APIFault(.modelNotFound, "DBDatastoreVersion Not Found")
        }
        let own = version.imageID ?? version.id
        guard image.lowercased() == own.lowercased() else {
            throw APIFault(
                400,
                "Instance \(instance.id) can only be rebuilt from what its datastore version '\(version.name)' has: the"
                    + " 'image_id' must be \(own). Another version is for the update of 'datastore_version'.")
        }
    }
}
