// SPDX-License-Identifier: Apache-2.0

import Compute
package import Model
package import StateStore

/// Enforces the access rules that an instance's row has already. A failure leaves the instance and its row with those before.
package struct UpdateAccessFlow: Flow {
    package static let name = FlowName.updateAccess

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep(
                "apply", deadline: .seconds(120), errorTask: .updatingErrorAccess, run: AccessSteps.apply)
        ]
    }

    package func undo(_ run: FlowRun, step: FlowStep) async throws {
        let before = AccessRules(run.input["previous"])
        try await AccessSteps.set(before, run.inputText("instance_id"), run)
        run.remember(Self.restored, true)
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        let id = run.record.resourceID
        try end(run, with: .none, transaction, now: now)
        guard let fault = try transaction.faults.find(instanceID: id), fault.message.hasPrefix(Self.prefix) else {
            return
        }
        try transaction.faults.clear(instanceID: id)
    }

    /// The instance reports ERROR only when nobody knows which rules hold by now.
    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        guard var instance = try transaction.instances.find(id), instance.task != .deleting else { return }
        if instance.access == Self.value(run, "access") {
            instance.access = Self.value(run, "previous")
            _ = try transaction.instances.save(instance, now: now)
        }
        let isRestored = run.recall(Self.restored)?.boolValue ?? false
        try end(run, with: isRestored ? .none : step.errorTask, transaction, now: now)
        try transaction.faults.save(
            FaultRecord(
                instanceID: id, message: String((Self.prefix + message).prefix(255)), details: nil, created: now))
    }

    private static let restored = "restored"
    private static let prefix = "The access rules could not be changed: "

    private static func value(_ run: FlowRun, _ key: String) -> JSONValue? {
        run.input[key].flatMap { $0.isNull ? nil : $0 }
    }

    /// Another task belongs to another operation.
    private func end(
        _ run: FlowRun, with task: InstanceTask, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        guard let instance = try transaction.instances.find(id), instance.task == .updating else { return }
        let waits = task == .none && run.input["was_restart_required"]?.boolValue ?? false
        try transaction.instances.setTask(id, to: waits ? .restartRequired : task, expecting: [.updating], now: now)
    }
}

/// Enforcing who may connect to an instance.
enum AccessSteps {
    /// Enforces what the row says by now, so that a repeat after a crash, and a later change, end in the same state.
    static func apply(_ run: FlowRun) async throws {
        let instance = try await run.instance()
        // One that goes, or has no address, has nobody to keep out.
        guard instance.task != .deleting, instance.address != nil else { return }
        try await set(AccessRules(instance.access), instance.id, run)
    }

    /// Enforces the rules of a new instance, if it has any.
    static func close(_ run: FlowRun) async throws {
        let instance = try await run.instance()
        let rules = AccessRules(instance.access)
        if !rules.isOpen { try await set(rules, instance.id, run) }
    }

    static func set(_ rules: AccessRules, _ id: String, _ run: FlowRun) async throws {
        let compute = run.services.compute
        let entries = run.ledgerEntries(compute.accessResources(for: id).map { ($0.kind, $0.tag) }, owner: id)
        if !rules.isOpen {
            try await run.services.store.write(.relaxed) { try $0.ledger.add(entries) }
        }
        try await compute.setAccess(id, allowed: rules.allowed)
        if rules.isOpen { try await strike(run) }
    }

    /// Says that no rules are enforced for the instance any more.
    static func strike(_ run: FlowRun) async throws {
        let resources = try run.services.compute.accessResources(for: run.inputText("instance_id"))
        try await run.services.store.write(.relaxed) { transaction in
            for resource in resources { try transaction.ledger.strike(kind: resource.kind, tag: resource.tag) }
        }
    }
}
