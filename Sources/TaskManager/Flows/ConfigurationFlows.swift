// SPDX-License-Identifier: Apache-2.0

package import Model
package import StateStore

/// Gives an instance a configuration group, which its row names already.
package struct AttachConfigurationFlow: ConfigurationAssignmentFlow {
    package static let name = FlowName.attachConfiguration

    package init() {}
}

/// Takes an instance's configuration group away; its row names none already.
package struct DetachConfigurationFlow: ConfigurationAssignmentFlow {
    package static let name = FlowName.detachConfiguration

    package init() {}
}

/// Gives an instance the values that its configuration group has now. The group has other instances too, so that it stays as
/// it is when one of them refuses a value.
package struct ApplyConfigurationFlow: ConfigurationFlow {
    package static let name = FlowName.applyConfiguration

    package init() {}

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        try ConfigurationSteps.fail(run, message, transaction, now: now)
    }
}

/// A flow after which an instance's engine has what the state store says of its configuration.
package protocol ConfigurationFlow: Flow {}

extension ConfigurationFlow {
    package var steps: [FlowStep] { ConfigurationSteps.steps }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        try ConfigurationSteps.finish(run, transaction, now: now)
    }
}

/// One that changes which group an instance has: a failure leaves the instance and its row with the one before.
package protocol ConfigurationAssignmentFlow: ConfigurationFlow {}

extension ConfigurationAssignmentFlow {
    package func undo(_ run: FlowRun, step: FlowStep) async throws { try await ConfigurationSteps.applyPrevious(run) }

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        try ConfigurationSteps.takeBack(run, transaction, now: now)
        try ConfigurationSteps.fail(run, message, transaction, now: now)
    }
}
