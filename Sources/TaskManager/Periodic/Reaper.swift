// SPDX-License-Identifier: Apache-2.0

package import Logging
import Model
import StateStore

/// Proves that a transitional status has a live journal row behind it, and ends one that has not.
package struct Reaper: Sendable {
    let services: FlowServices
    let logger: Logger

    private static let interval = Duration.seconds(60)
    private static let transitional: Set<InstanceTask> = [
        .building, .deleting, .rebooting, .resizing, .migrating, .promoting, .ejecting, .detaching, .updating,
        .upgrading,
    ]

    package init(services: FlowServices, logger: Logger) {
        self.services = services
        self.logger = logger
    }

    func run() async {
        while !Task.isCancelled {
            await sweep()
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Looks once. A delete without a row is taken up again; anything else fails with a fault that says so.
    package func sweep() async {
        let (clock, random) = (services.clock, services.random)
        do {
            let found = try await services.store.write(.relaxed) { transaction -> [String] in
                let live = Set(try transaction.journal.live(resourceID: nil).compactMap(Self.instanceID))
                let lost = try transaction.instances.all().filter {
                    Self.transitional.contains($0.task) && !live.contains($0.id)
                }
                for instance in lost { try Self.mend(instance, transaction, now: clock.now, random: random) }
                return lost.map(\.id)
            }
            for id in found {
                logger.error("an instance was in transition without an operation", metadata: ["instance.id": "\(id)"])
            }
        } catch {
            logger.error("the reaper could not read the state store", metadata: ["error": "\(error)"])
        }
    }

    private static func instanceID(_ record: JournalRecord) -> String? { record.input["instance_id"]?.stringValue }

    private static func mend(
        _ instance: InstanceRecord, _ transaction: any StateTransaction, now: Timestamp, random: any RandomSource
    ) throws {
        if instance.task == .deleting {
            try transaction.journal.insert(
                JournalRecord(
                    id: random.uuid(), requestID: random.requestID(), projectID: instance.projectID, userID: "",
                    flow: FlowName.deleteInstance.rawValue, resourceID: instance.id,
                    input: ["instance_id": .string(instance.id)], created: now
                )
            )
            return
        }
        let task: InstanceTask = instance.task == .building ? .buildingErrorServer : .none
        try transaction.instances.setTask(instance.id, to: task, expecting: [instance.task], now: now)
        try transaction.faults.save(
            FaultRecord(
                instanceID: instance.id, message: "The operation \(instance.task.action) was lost and has been ended.",
                details: nil, created: now
            )
        )
    }
}
