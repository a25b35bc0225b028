// SPDX-License-Identifier: Apache-2.0

package import Logging
import Model
import StateStore

/// Proves that a transitional status has a live journal row behind it, and ends one that has not.
package struct Reaper: Sendable {
    let services: FlowServices
    let logger: Logger

    private static let interval = Duration.seconds(60)
    /// Longer than any operation is put off.
    private static let longestPause = Duration.seconds(60)
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
            await AdmissionKeeper(store: services.store, logger: logger).sweep()
            await EventKeeper(
                store: services.store, retention: services.configuration.eventRetention, logger: logger
            ).sweep()
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Looks once. A delete without a row is taken up again; anything else fails with a fault that says so.
    ///
    /// What a snapshot shows is looked at again in the transaction that mends it: by then it may have gone on.
    package func sweep() async {
        let (clock, random) = (services.clock, services.random)
        do {
            let suspects = try await services.store.read { try Self.lost($0).map(\.id) }
            let mended = try await services.store.write(.relaxed) { transaction -> [String] in
                try transaction.journal.hasten(to: transaction.now + Self.longestPause)
                guard !suspects.isEmpty else { return [] }
                // The instance first: its operation is committed with its task.
                let instances = try suspects.compactMap { try transaction.instances.find($0) }
                let live = try Self.instancesOfLive(transaction)
                let lost = instances.filter { Self.isLost($0, live) }
                for instance in lost { try Self.mend(instance, transaction, now: clock.now, random: random) }
                return lost.map(\.id)
            }
            for id in mended {
                logger.error("an instance was in transition without an operation", metadata: ["instance.id": "\(id)"])
            }
        } catch let error as StateStoreError where error.code == .conflict {
            // Somebody changed one of them meanwhile.
            logger.info("the reaper looks again later", metadata: ["reason": "\(error.message)"])
        } catch {
            logger.error("the reaper could not read the state store", metadata: ["error": "\(error)"])
        }
    }

    private static func lost(_ transaction: any StateTransaction) throws -> [InstanceRecord] {
        let live = try instancesOfLive(transaction)
        return try transaction.instances.all().filter { isLost($0, live) }
    }

    private static func isLost(_ instance: InstanceRecord, _ live: Set<String>) -> Bool {
        transitional.contains(instance.task) && !live.contains(instance.id)
    }

    /// Instances that an operation works on, or will.
    private static func instancesOfLive(_ transaction: any StateTransaction) throws -> Set<String> {
        Set(try transaction.journal.live(resourceID: nil).compactMap { $0.input["instance_id"]?.stringValue })
    }

    /// - Throws: `.conflict` when the instance changed since it was read.
    private static func mend(
        _ found: InstanceRecord, _ transaction: any StateTransaction, now: Timestamp, random: any RandomSource
    ) throws {
        var instance = found
        if instance.task == .deleting {
            _ = try transaction.instances.save(instance, now: now)
            var row = JournalRecord(
                id: random.uuid(), requestID: random.requestID(), projectID: instance.projectID, userID: "",
                flow: FlowName.deleteInstance.rawValue, resourceID: instance.id,
                input: ["instance_id": .string(instance.id)], created: now
            )
            row.host = instance.computeHost
            row.notBefore = Timestamp(microseconds: 0)
            return try transaction.journal.insert(row)
        }
        let task: InstanceTask = instance.task == .building ? .buildingErrorServer : .none
        let action = instance.task.action
        instance.task = task
        instance.taskStarted = task == .none ? nil : now
        _ = try transaction.instances.save(instance, now: now)
        try transaction.faults.save(
            FaultRecord(
                instanceID: instance.id, message: "The operation \(action) was lost and has been ended.",
                details: nil, created: now
            )
        )
    }
}
