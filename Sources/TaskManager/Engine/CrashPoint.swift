// SPDX-License-Identifier: Apache-2.0

package import Model

/// A moment in a flow at which a recovery drill ends the control plane.
///
/// Shape: `<flow>/<step>/<moment>`, e.g. `create_instance/volume/after_effect`. The list is made from the flows' steps,
/// so a new step is covered by itself.
package struct CrashPoint: Sendable, Hashable, CustomStringConvertible {
    package enum Moment: String, Sendable, CaseIterable {
        case beforeEffect = "before_effect"
        case afterEffect = "after_effect"
        case afterRecord = "after_record"
    }

    package var flow: FlowName
    package var step: String
    package var moment: Moment

    package init(flow: FlowName, step: String, moment: Moment) {
        self.flow = flow
        self.step = step
        self.moment = moment
    }

    /// Reads the text form; nil when it names no moment of any flow.
    package init?(_ text: String) {
        guard let point = FlowCatalogue.crashPoints.first(where: { $0.description == text }) else { return nil }
        self = point
    }

    package var description: String { "\(flow.rawValue)/\(step)/\(moment.rawValue)" }
}

/// Every flow of this program.
package enum FlowCatalogue {
    package static let flows: [any Flow] = [
        CreateInstanceFlow(), DeleteInstanceFlow(), RestartInstanceFlow(), RebootInstanceFlow(), CreateBackupFlow(),
        DeleteBackupFlow(), MigratePluginFlow(),
        AttachConfigurationFlow(), DetachConfigurationFlow(), ApplyConfigurationFlow(),
        ReapplyModuleFlow(),
        ResizeVolumeFlow(), ResizeFlavorFlow(), UpgradeInstanceFlow(), RebuildInstanceFlow(),
        UpdateAccessFlow(), UpgradeGuestFlow(),
    ]

    package static var crashPoints: [CrashPoint] {
        flows.flatMap { flow in
            flow.steps.flatMap { step in
                CrashPoint.Moment.allCases.map { CrashPoint(flow: type(of: flow).name, step: step.name, moment: $0) }
            }
        }
    }
}
