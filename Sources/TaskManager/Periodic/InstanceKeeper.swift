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

    func run() async {
        var failures: [String: (count: Int, next: ContinuousClock.Instant)] = [:]
        while !Task.isCancelled {
            for id in await standing() {
                if let failure = failures[id], failure.next > .now { continue }
                if await ensure(id) {
                    failures[id] = nil
                } else {
                    let count = (failures[id]?.count ?? 0) + 1
                    let pause = Duration.milliseconds(min(60_000, 500 << min(count, 8)))
                    failures[id] = (count, .now + pause)
                }
            }
            await pause()
        }
    }

    /// Waits for the death of an agent, or for the interval.
    private func pause() async {
        let ids = await standing()
        let (services, logger) = (services, logger)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withCheckedContinuation { continuation in
                    let once = Once(continuation)
                    Task {
                        await services.compute.watch(ids) { id in
                            logger.warning("a guest agent ended", metadata: ["instance.id": "\(id)"])
                            once.resume()
                        }
                        once.resume()
                    }
                    Task {
                        try? await Task.sleep(for: Self.interval)
                        once.resume()
                    }
                }
            }
        }
    }

    /// Instances whose server should be up and that no flow is working on.
    private func standing() async -> [String] {
        do {
            return try await services.store.read { transaction in
                let busy = Set(try transaction.journal.live(resourceID: nil).map(\.resourceID))
                return try transaction.instances.all()
                    .filter { $0.serverStatus == .active && $0.task != .deleting && !busy.contains($0.id) }
                    .map(\.id)
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
