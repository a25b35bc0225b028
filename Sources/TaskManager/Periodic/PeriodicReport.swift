// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Notifications
import StateStore

/// A report that is made once a period, whichever task manager makes it; one that was begun goes on where it was left.
struct PeriodicReport: Sendable {
    /// Sent at once, so that the way to the bus and back is not waited for one by one.
    private static let width = 16

    /// Sends a part of the report, up to and including what `last` names.
    typealias Deliver = (_ messages: [NotificationMessage], _ last: String) async throws -> Void

    let name: String
    private let interval: Duration
    private let services: FlowServices
    private let logger: Logger
    /// Delivers what comes after the mark's `after`, in order.
    private let deliverAll: @Sendable (PeriodMark, Deliver) async throws -> Void

    init(
        _ name: String, every interval: Duration, services: FlowServices, logger: Logger,
        deliverAll: @Sendable @escaping (PeriodMark, Deliver) async throws -> Void
    ) {
        self.name = name
        self.interval = interval
        self.services = services
        self.logger = logger
        self.deliverAll = deliverAll
    }

    func run() async {
        var pause = Duration.seconds(1)
        while !Task.isCancelled {
            do {
                try await report()
                // Not until the period's end: the time of day may be set.
                pause = min(.seconds(30), max(.milliseconds(100), interval / 10))
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("a report could not be sent; it goes on later", metadata: ["error": "\(error)"])
                pause = .seconds(2)
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// Makes the report that is due, if one is.
    ///
    /// - Throws: while the bus or the state store is away; the next call goes on after the last whole page.
    func report() async throws {
        let (name, interval) = (name, interval)
        guard let due = try await services.store.read({ try PeriodMark.due(name, every: interval, $0) }) else { return }
        var mark = due
        try await deliverAll(due) { messages, last in
            try await send(messages)
            mark.after = last
            try await save(mark)
        }
        mark.isDone = true
        try await save(mark)
    }

    private func save(_ mark: PeriodMark) async throws {
        let name = name
        try await services.store.write(.relaxed) { try mark.save(name, $0) }
    }

    private func send(_ messages: [NotificationMessage]) async throws {
        let notifier = services.notifier
        var rest = messages[...]
        while !rest.isEmpty {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for message in rest.prefix(Self.width) { group.addTask { try await notifier.send(message) } }
                try await group.waitForAll()
            }
            rest = rest.dropFirst(Self.width)
        }
    }
}

extension PeriodicReport {
    private static let pageSize = 200

    /// `trove.instance.exists` of every instance that there was before the period's end; nil when nobody wants it.
    static func exists(_ services: FlowServices, logger: Logger) -> PeriodicReport? {
        let notifier = services.notifier
        guard notifier.isOn, let interval = notifier.configuration.existsInterval else { return nil }
        let store = services.store
        return PeriodicReport("exists", every: interval, services: services, logger: logger) { mark, deliver in
            let beginning = mark.ending + (.zero - interval)
            var marker = mark.after
            while true {
                let after = marker
                let found = try await store.read {
                    try $0.instances.page(projectID: nil, after: after, limit: pageSize)
                }
                guard let last = found.last?.instance.id else { return }
                let there = found.filter { $0.instance.created < mark.ending && $0.status.status != "SHUTDOWN" }
                try await deliver(
                    there.map {
                        notifier.exists(Usage($0, flavor: nil, volumeID: nil), from: beginning, to: mark.ending)
                    }, last)
                marker = last
            }
        }
    }

    /// `dbaas.quota` of every project that has anything; nil when nobody wants it.
    static func quota(_ services: FlowServices, logger: Logger) -> PeriodicReport? {
        let notifier = services.notifier
        guard notifier.isOn, let interval = notifier.configuration.quotaInterval else { return nil }
        let (store, configuration) = (services.store, services.configuration)
        return PeriodicReport("quota", every: interval, services: services, logger: logger) { mark, deliver in
            let memory = Dictionary(configuration.flavors.map { ($0.id, $0.ramMiB) }) { first, _ in first }
            for project in try await store.read({ try projects(after: mark.after, $0) }) {
                let (usage, limits) = try await store.read { transaction in
                    (
                        try transaction.quotas.usage(projectID: project, flavorRAM: memory),
                        try transaction.quotas.limits(projectID: project)
                    )
                }
                try await deliver(quotas(of: project, usage, limits, notifier, at: mark.ending), project)
            }
        }
    }

    private static func quotas(
        of project: String, _ usage: QuotaUsage, _ limits: [String: Int], _ notifier: Notifier, at time: Timestamp
    ) -> [NotificationMessage] {
        let defaults = notifier.configuration.quotaDefaults
        let rows = [
            ("backups", usage.backups), ("instances", usage.instances), ("ram", usage.ramMiB),
            ("volumes", usage.volumesGiB),
        ]
        return rows.map { resource, inUse in
            notifier.quota(
                projectID: project, resource: resource, inUse: inUse,
                limit: limits[resource] ?? defaults[resource] ?? -1, at: time)
        }
    }

    /// Projects with an instance or a backup, in order.
    private static func projects(after: String?, _ transaction: any StateTransaction) throws -> [String] {
        var projects = Set(try transaction.backups.all().map(\.projectID))
        var marker: String?
        while true {
            let outlines = try transaction.instances.outlines(projectID: nil, after: marker, limit: 1000)
            guard let last = outlines.last else { break }
            projects.formUnion(outlines.map(\.projectID))
            marker = last.id
        }
        return projects.filter { $0 > after ?? "" }.sorted()
    }
}
