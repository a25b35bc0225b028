// SPDX-License-Identifier: Apache-2.0

import Compute
package import Model

/// Reboots an instance as an administrator asks for it: the engine's clean stop as far as its agent can be asked, the server
/// with everything on it ended and booted again, and the engine started.
package struct RebootInstanceFlow: EngineStartFlow {
    package static let name = FlowName.rebootInstance

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep("stop", deadline: .seconds(210), run: EngineSteps.stopIfPossible),
            FlowStep("server", deadline: .seconds(120)) { run in
                try await run.services.compute.rebootServer(run.inputText("instance_id"))
            },
            FlowStep("engine", deadline: EngineSteps.deadline, run: EngineSteps.start),
            FlowStep("report", deadline: .seconds(120), run: EngineReport.wait),
        ]
    }
}
