// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore
import Synchronization

/// How an operation that a request asks for is told about: its start in the transaction that accepts it, its end by whoever
/// ends it, or start and error at once when it is refused.
final class Announcement: Sendable {
    private let notifier: Notifier
    private let operation: Notifications.Operation?
    /// Told by the transaction as it ran last.
    private let told = Mutex<[NotificationMessage]>([])

    fileprivate init(_ notifier: Notifier, _ operation: @autoclosure () -> Notifications.Operation) {
        self.notifier = notifier
        self.operation = notifier.isOn ? operation() : nil
    }

    /// Accepts: inserts the operation's row, which says to whoever tells of the end what the start told.
    ///
    /// - Parameter traits: Besides those that were known before.
    func insert(
        _ row: JournalRecord, adding traits: [String: JSONValue] = [:], _ transaction: any StateTransaction
    ) throws {
        var row = row
        if var operation {
            operation.add(traits)
            row.input = operation.kept(in: row.input)
            try record([notifier.start(operation, by: .api)], transaction)
        }
        try transaction.journal.insert(row)
    }

    /// Tells of start and end: there is nothing more to do.
    func complete(_ transaction: any StateTransaction) throws {
        guard let operation else { return }
        try record([notifier.start(operation, by: .api), notifier.end(operation, by: .api)], transaction)
    }

    private func record(_ messages: [NotificationMessage], _ transaction: any StateTransaction) throws {
        try notifier.record(messages, transaction)
        told.withLock { $0 = messages }
    }

    fileprivate func accepted() { notifier.committed(told.withLock { $0 }) }

    /// Nothing is told of what the caller may not see or do.
    fileprivate func refused(_ error: any Error) {
        guard let operation else { return }
        let fault = APIFault(error)
        if let fault, [401, 403, 404].contains(fault.status) { return }
        notifier.emit(notifier.start(operation, by: .api))
        notifier.emit(
            notifier.error(
                operation, by: .api, message: fault?.message ?? "The request could not be served.",
                kind: fault?.key ?? "instanceFault"))
    }
}

extension APICall {
    /// Runs `body`, which accepts an operation or refuses it.
    func announcing<Value: Sendable>(
        _ event: OperationEvent, _ traits: [String: JSONValue], _ body: (Announcement) async throws -> Value
    ) async throws -> Value {
        let announcement = Announcement(
            services.notifier,
            Operation(
                event, context: context, clientIP: request.clientAddress, serverIP: request.host, traits))
        do {
            let value = try await body(announcement)
            announcement.accepted()
            return value
        } catch {
            announcement.refused(error)
            throw error
        }
    }
}
