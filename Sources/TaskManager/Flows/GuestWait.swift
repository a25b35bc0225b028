// SPDX-License-Identifier: Apache-2.0

import Calls
import Model
import StateStore

/// Waits for what a guest reports through the conductor.
enum GuestWait {
    /// How often a command is sent again while nothing is heard: a guest that was restarted has lost it, and every
    /// guest verb is idempotent.
    static let resendInterval = Duration.seconds(10)

    /// Waits until the instance's engine is healthy.
    ///
    /// - Throws: `FlowError` when the guest says that it failed, when the instance goes away, or at the deadline.
    static func healthy(
        _ run: FlowRun, instanceID: String, deadline: Deadline, resend: @Sendable @escaping () async throws -> Void
    ) async throws {
        let (store, changes) = (run.services.store, run.services.changes)
        _ = try await resending(every: resendInterval, resend) {
            try await changes.wait(for: instanceID, deadline: deadline) { () -> Bool? in
                let (instance, fault) = try await store.read { transaction in
                    (try transaction.instances.find(instanceID), try transaction.faults.find(instanceID: instanceID))
                }
                guard let instance else { throw FlowError("Instance \(instanceID) does not exist any more.") }
                switch instance.service {
                case .running, .healthy, .instanceReady: return true
                case .failedToSpawn: throw FlowError(fault?.message ?? "The guest could not start the datastore.")
                default: return nil
                }
            }
        }
    }

    /// How often an agent is asked to report while its report is waited for.
    private static let askInterval = Duration.seconds(2)

    /// Asks the agent for its status until one is stored that `isNew`.
    ///
    /// - Returns: false at the deadline, or when the instance goes away.
    static func report(
        _ run: FlowRun, instanceID: String, deadline: Deadline, until isNew: @Sendable @escaping (ServiceStatus) -> Bool
    ) async throws -> Bool {
        let (services, context) = (run.services, run.context)
        let (store, changes) = (services.store, services.changes)
        let ask: @Sendable () async throws -> Void = { try await services.guests.ping(instanceID, context: context) }
        try? await ask()
        return try await resending(every: askInterval, ask) {
            try await changes.wait(for: instanceID, deadline: deadline) { () -> Bool? in
                guard !deadline.isPast, let instance = try await store.read({ try $0.instances.find(instanceID) })
                else { return false }
                return isNew(instance.service) ? true : nil
            }
        }
    }

    /// Waits until the backup has ended.
    ///
    /// - Returns: whether it is complete.
    /// - Throws: `FlowError` when the backup or its instance goes away, or at the deadline.
    static func backup(
        _ run: FlowRun, backupID: String, instanceID: String, deadline: Deadline,
        resend: @Sendable @escaping () async throws -> Void
    ) async throws -> Bool {
        let (store, changes) = (run.services.store, run.services.changes)
        return try await resending(every: resendInterval, resend) {
            try await changes.wait(for: instanceID, deadline: deadline) { () -> Bool? in
                let (backup, instance) = try await store.read { transaction in
                    (try transaction.backups.find(backupID), try transaction.instances.find(instanceID))
                }
                guard let backup else { throw FlowError("Backup \(backupID) does not exist any more.") }
                if backup.state == .completed { return true }
                if backup.state == .failed { return false }
                guard let instance, instance.task != .deleting else {
                    throw FlowError("Instance \(instanceID) was deleted while its backup ran.")
                }
                return nil
            }
        }
    }

    /// Runs `body`; sends again every `interval` while it runs. A failed resend only means that the next one follows.
    private static func resending<Value: Sendable>(
        every interval: Duration, _ resend: @Sendable @escaping () async throws -> Void,
        _ body: @Sendable @escaping () async throws -> Value
    ) async throws -> Value {
        let repeater = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: interval)
                try? await resend()
            }
        }
        defer { repeater.cancel() }
        return try await body()
    }
}
