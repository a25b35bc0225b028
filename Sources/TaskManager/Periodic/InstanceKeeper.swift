// SPDX-License-Identifier: Apache-2.0

import Compute
import Logging
import Model
import StateStore

/// Keeps the agents of live instances up: after a restart of the control plane, of the host, or of an agent.
struct InstanceKeeper: Sendable {
    let services: FlowServices
    let logger: Logger

    /// How often instances are looked at besides being watched.
    private static let interval = Duration.seconds(5)

    private enum Event: Sendable {
        case died(String)
        case tick
    }

    func run() async {
        let (events, continuation) = AsyncStream<Event>.makeStream(bufferingPolicy: .bufferingNewest(1024))
        let ticker = Task {
            while !Task.isCancelled {
                continuation.yield(.tick)
                try? await Task.sleep(for: Self.interval)
            }
        }
        defer { ticker.cancel() }
        var watched: Set<String> = []
        var failures: [String: (count: Int, next: ContinuousClock.Instant)] = [:]
        for await event in events {
            if case .died(let id) = event {
                logger.warning("a guest agent ended", metadata: ["instance.id": "\(id)"])
                watched.remove(id)
            }
            let ids = await standing()
            watched.formIntersection(ids)
            for id in ids where !watched.contains(id) && failures[id].map({ $0.next <= .now }) ?? true {
                if await ensure(id) {
                    failures[id] = nil
                    watched.insert(id)
                    await services.compute.watch([id]) { continuation.yield(.died($0)) }
                } else {
                    let count = (failures[id]?.count ?? 0) + 1
                    failures[id] = (count, .now + .milliseconds(min(60_000, 500 << min(count, 7))))
                }
            }
        }
    }

    /// Instances whose server should be up, those among them that a flow works on.
    private func standing() async -> [String] {
        do {
            return try await services.store.read { transaction in
                try transaction.instances.all().filter { $0.serverStatus == .active && $0.task != .deleting }.map(\.id)
            }
        } catch {
            logger.error("instances could not be read", metadata: ["error": "\(error)"])
            return []
        }
    }

    private func ensure(_ id: String) async -> Bool {
        do {
            try await services.compute.ensureServer(id)
            return true
        } catch {
            logger.error(
                "an instance's server could not be brought up",
                metadata: ["instance.id": "\(id)", "error": "\(error.message)"]
            )
            return false
        }
    }
}
