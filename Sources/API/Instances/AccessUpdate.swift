// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore

/// Replaces who may connect to an instance, whatever its state. Source: REST contract §3.4.
///
/// Row, task and operation are committed together; the answer comes when the rules are enforced, or at once
/// when another operation has to end first. Rules that cannot be
/// enforced leave the instance with those that it had.
struct AccessUpdate: Sendable {
    let instanceID: String
    let rules: AccessRules
    /// A new name of the instance, which goes along.
    var name: String?

    func perform(_ call: APICall) async throws {
        try await perform(call, rule: "instance:update") { _ in rules }
    }

    /// - Parameters:
    ///   - rule: Policy rule checked against the instance's project.
    ///   - change: The rules that the instance is to have, from the row as it is.
    func perform(
        _ call: APICall, rule: String, _ change: @Sendable @escaping (InstanceRecord) throws -> AccessRules
    ) async throws {
        let seen = try await call.services.store.read { try call.instance(instanceID, rule: rule, $0).instance }
        try await Self.requireEnforceable(try change(seen), call)
        let operation = try await call.announcing(.instanceUpdateAccess, ["instance_id": .string(instanceID)]) {
            announcement in
            try await call.services.store.write(.durable) { transaction in
                let instance = try call.instance(instanceID, rule: rule, transaction).instance
                return try commit(change(instance), instance, call, announcement, transaction)
            }
        }
        await call.wakeTaskManager()
        guard operation.isNext else { return }
        try await call.requireSuccess(of: [operation.id]) { reason in
            APIFault(400, "The access rules of instance \(instanceID) could not be changed: \(reason)")
        }
    }

    /// - Returns: The operation's id, and whether no other one has to end before it.
    private func commit(
        _ rules: AccessRules, _ found: InstanceRecord, _ call: APICall, _ announcement: Announcement,
        _ transaction: any StateTransaction
    ) throws -> (id: String, isNext: Bool) {
        guard found.task != .deleting else {
            throw APIFault(.unprocessableEntity, "Instance \(instanceID) is not ready. (Status is SHUTDOWN).")
        }
        var instance = found
        instance.access = rules.json
        if let name { instance.name = name }
        // Another task belongs to another operation, which goes on; this one comes after it.
        if [.none, .restartRequired, .updatingErrorAccess].contains(instance.task) {
            instance.task = .updating
            instance.taskStarted = call.now
        }
        instance = try transaction.instances.save(instance, now: call.now)
        let row = call.journal(
            .updateAccess, resourceID: instanceID, projectID: instance.projectID, host: instance.computeHost,
            [
                "instance_id": .string(instanceID), "access": rules.json, "previous": found.access ?? .null,
                "was_restart_required": .bool(found.task == .restartRequired),
            ])
        try announcement.insert(row, transaction)
        return (row.id, found.task != instance.task)
    }

    /// Refuses what nobody would enforce: public addresses anywhere, and rules where this process's host cannot.
    ///
    /// Without compute of its own this process leaves the question to the task manager.
    static func requireEnforceable(_ rules: AccessRules, _ call: APICall) async throws {
        guard !rules.isPublic else {
            throw APIFault.unsupported("Public addresses ('access.is_public') are not supported.")
        }
        if let text = rules.allowed.first(where: { IPv4Network($0) == nil }) {
            throw APIFault(400, "'\(text)' of 'access.allowed_cidrs' is not an IPv4 network, such as 10.0.0.0/8.")
        }
        guard !rules.isOpen, let refusal = await call.configuration.hostFacts()?.accessRefusal else { return }
        throw APIFault.unsupported("Access rules ('access.allowed_cidrs') cannot be enforced on this host: \(refusal).")
    }
}
