// SPDX-License-Identifier: Apache-2.0

import Compute
import Logging
import Model
import StateStore

/// Keeps the agents of a host's live instances up: after a restart of the control plane, of the host, or of an agent.
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
        await adopt()
        for await event in events {
            if case .died(let id) = event {
                logger.warning("a guest agent ended", metadata: ["instance.id": "\(id)"])
                watched.remove(id)
            }
            guard let ids = await standing() else { continue }
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

    /// Makes instances this host's that are here and say nothing about a host.
    private func adopt() async {
        guard let host = services.compute.host, let ids = await standing(of: nil) else { return }
        let clock = services.clock
        for id in ids where [.active, .shutdown].contains(await services.compute.serverStatus(id)) {
            do {
                try await services.store.write(.relaxed) { transaction in
                    guard var instance = try transaction.instances.find(id), instance.computeHost == nil else { return }
                    instance.computeHost = host
                    _ = try transaction.instances.save(instance, now: clock.now)
                }
            } catch {
                // The next keeper of this host tries again.
                logger.error(
                    "an instance could not be taken over", metadata: ["instance.id": "\(id)", "error": "\(error)"])
            }
        }
    }

    /// Instances of this host whose server should be up, those among them that a flow works on; nil while nobody knows.
    private func standing() async -> [String]? { await standing(of: services.compute.host) }

    private func standing(of host: String?) async -> [String]? {
        do {
            return try await services.store.read { try $0.instances.standing(host: host) }
        } catch {
            logger.error("instances could not be read", metadata: ["error": "\(error)"])
            return nil
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
