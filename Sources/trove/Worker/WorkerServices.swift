// SPDX-License-Identifier: Apache-2.0

import Glibc
import Messaging
import ServiceLifecycle
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

/// Reads the datastore files again on SIGHUP.
struct ReloadService: Service {
    let shape: EmbeddedShape

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() { await shape.reload() }
    }
}
