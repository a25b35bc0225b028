// SPDX-License-Identifier: Apache-2.0

import API
import Calls
import Identity
import Logging
import ServiceLifecycle
import StateStore

/// An API service on a socket, from start to graceful stop.
struct RunningAPI {
    let service: APIService
    let group: ServiceGroup

    init(
        _ api: APIFixture, _ configuration: APIConfiguration, listener: Int32, store: (any StateStore)? = nil,
        identity: any IdentityService = TestIdentity(), logger: Logger? = nil
    ) {
        let logger = logger ?? api.services.logger
        service = APIService(
            configuration: configuration, listener: listener, store: store ?? api.store, identity: identity,
            plugins: api.plugins, guests: GuestClient(api.bus), taskManager: TaskManagerClient(api.bus),
            clock: api.clock, logger: logger
        )
        group = ServiceGroup(services: [service], logger: api.services.logger)
    }

    /// Serves while `body` runs, and stops gracefully afterwards.
    func whileServing(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [group] in try await group.run() }
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
