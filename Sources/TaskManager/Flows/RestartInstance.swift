// SPDX-License-Identifier: Apache-2.0

package import Model

/// Restarts the engine of an instance.
package struct RestartInstanceFlow: EngineStartFlow {
    package static let name = FlowName.restartInstance

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep("restart", deadline: EngineSteps.deadline, run: EngineSteps.start),
            FlowStep("report", deadline: .seconds(120), run: EngineReport.wait),
        ]
    }
}
