// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Messaging
import Notifications
import ServiceLifecycle
import StateStore
import UnixSignals

/// Runs the hub until everything that uses it has stopped.
struct HubService: Service {
    let hub: LocalHub

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await hub.run() }
    }
}

/// Closes the bus connection when its users have stopped.
struct BusService: Service {
    let bus: any MessageBus

    func run() async throws {
        try? await gracefulShutdown()
        await bus.close()
    }
}

/// Sends what is still to be told when those who tell have stopped.
struct NotifierService: Service {
    let notifier: Notifier

    func run() async throws {
        try? await gracefulShutdown()
        await notifier.finish(within: .seconds(2))
    }
}

/// Stops the plugin runner when its users have stopped.
struct PluginRunnerService: Service {
    let client: PluginSwitch

    func run() async throws {
        try? await gracefulShutdown()
        await client.shutdown()
    }
}

/// Says once that everything before it in the group runs.
struct ReadyService: Service {
    let announce: @Sendable () -> Void

    func run() async throws {
        announce()
        try? await gracefulShutdown()
    }
}

/// Reads the operator's files again on SIGHUP.
struct ReloadService: Service {
    let reload: @Sendable () async -> Void

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() { await reload() }
    }
}

/// Does at the start what needs the state store, as soon as the store is there.
struct FirstWorkService: Service {
    let work: @Sendable () async throws -> Void
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            var pause = Duration.milliseconds(250)
            while !Task.isCancelled {
                do { return try await work() } catch let error as StateStoreError where error.mayPass {
                    logger.warning("waiting for the state store", metadata: ["error": "\(error.message)"])
                }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(2))
            }
        }
    }
}

extension StateStoreError {
    /// Whether another try may succeed: the store was away, or two processes of the control plane began at once.
    var mayPass: Bool { isRetryable || code == .conflict }
}
