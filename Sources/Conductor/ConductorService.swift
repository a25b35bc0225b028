// SPDX-License-Identifier: Apache-2.0

import Calls
package import Logging
package import Messaging
import Model
import ServiceLifecycle
package import StateStore

/// The conductor: writes what guests report, and is the only one who does.
package final class ConductorService: Service {
    private let bus: any MessageBus
    private let store: any StateStore
    private let hostName: String
    private let logger: Logger

    package init(bus: any MessageBus, store: any StateStore, hostName: String, logger: Logger) {
        self.bus = bus
        self.store = store
        self.hostName = hostName
        self.logger = logger
    }

    package func run() async throws {
        let reports = Reports(store: store, taskManager: TaskManagerClient(bus), logger: logger)
        try await bus.serve(topic: ConductorVerb.topic, server: hostName, endpoint: ConductorDispatcher(reports))
        try? await gracefulShutdown()
    }
}
