// SPDX-License-Identifier: Apache-2.0

import Compute
import Model
import Notifications
import StateStore

/// What is told about one flow's course, each in the transaction that records it: so it is told as often as that commits.
struct FlowNotices: Sendable {
    private let run: FlowRun
    private let notifier: Notifier

    init(_ run: FlowRun) {
        self.run = run
        notifier = run.services.notifier
    }

    private var operation: Notifications.Operation? {
        guard notifier.isOn, let flow = FlowName(rawValue: run.record.flow) else { return nil }
        let event = OperationEvent(flow: flow)
        if let operation = Operation(event, context: run.context, input: run.input) { return operation }
        return Operation(event, context: run.context, traits(event.startTraits))
    }

    private func traits(_ names: [String]) -> [String: JSONValue] {
        (run.input.objectValue ?? [:]).filter { names.contains($0.key) }
    }

    /// With the first step: the start, unless whoever asked has told it.
    func begun(_ transaction: any StateTransaction) throws -> [NotificationMessage] {
        guard let operation,
            Operation(operation.event, context: run.context, input: run.input) == nil
        else { return [] }
        return try record([notifier.start(operation, by: .taskManager)], transaction)
    }

    /// Around the end of a flow: `finish` may remove what is told about.
    func ended(
        _ transaction: any StateTransaction, now: Timestamp, _ finish: () throws -> Void
    ) throws -> [NotificationMessage] {
        guard var operation else {
            try finish()
            return []
        }
        operation.add(traits(operation.event.endTraits))
        let deleted = operation.event == .instanceDelete ? try usage(transaction) : nil
        try finish()
        var messages = [notifier.end(operation, by: operation.event.finisher)]
        if let deleted { messages.append(notifier.deleted(deleted, at: now, context: run.context)) }
        if operation.event == .instanceCreate, let created = try usage(transaction) {
            messages.append(notifier.created(created, context: run.context))
        }
        if let change = change(operation.event), let resized = try usage(transaction) {
            messages.append(notifier.modified(resized, change, at: now, context: run.context))
        }
        return try record(messages, transaction)
    }

    /// What another size an operation gave the instance.
    private func change(_ event: OperationEvent) -> Usage.Change? {
        switch event {
        case .instanceResizeFlavor:
            let before = run.input["old_flavor_id"]?.stringValue
            return .memory(before: run.services.configuration.flavors.first { $0.id == before }?.ramMiB)
        case .instanceResizeVolume: return .volume(before: run.input["old_size"]?.intValue)
        default: return nil
        }
    }

    /// With the record of a failure.
    func failed(_ step: String, _ text: String, _ transaction: any StateTransaction) throws -> [NotificationMessage] {
        guard var operation else { return [] }
        operation.add(traits(operation.event.endTraits))
        let message = notifier.error(operation, by: .taskManager, message: text, kind: "\(run.record.flow).\(step)")
        return try record([message], transaction)
    }

    private func record(
        _ messages: [NotificationMessage], _ transaction: any StateTransaction
    ) throws -> [NotificationMessage] {
        try notifier.record(messages, transaction)
        return messages
    }

    private func usage(_ transaction: any StateTransaction) throws -> Usage? {
        guard let summary = try transaction.instances.summary(run.record.resourceID) else { return nil }
        let instance = summary.instance
        let volume = run.services.compute.resources(for: instance.id, effect: .createVolume).first
        return Usage(
            summary, flavor: run.services.configuration.flavors.first { $0.id == instance.flavorID },
            volumeID: volume?.tag)
    }
}
