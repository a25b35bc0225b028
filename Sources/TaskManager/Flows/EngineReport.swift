// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import StateStore

/// The last step of a flow that starts an engine anew.
enum EngineReport {
    /// How long the task outlives the restart while nothing is heard of it.
    private static let patience = Duration.seconds(60)

    /// Lets the task end no sooner than what the agent says of the engine since: a report that was lost on the way would leave
    /// the instance ACTIVE and yet closed to actions until the next one.
    static func wait(_ run: FlowRun) async throws {
        let (id, now) = (try run.inputText("instance_id"), run.services.clock.now)
        try await run.services.store.write(.relaxed) { transaction in
            guard try transaction.instances.find(id)?.service.allowsActions == true else { return }
            try transaction.instances.setService(id, to: .restarting, heartbeat: now)
        }
        let isReported = try await GuestWait.report(run, instanceID: id, deadline: .after(patience)) { service in
            service != .restarting
        }
        if !isReported { run.logger.warning("the agent has not reported since the restart") }
    }
}
