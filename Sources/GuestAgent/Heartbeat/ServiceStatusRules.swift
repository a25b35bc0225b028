// SPDX-License-Identifier: Apache-2.0

package import Model
package import PluginHost

/// What the conductor is told, from what the agent knows. Source: state machine §3.
package enum ServiceStatusRules {
    /// - Parameter health: What the datastore said last; nil when it has not been asked since the engine runs.
    /// - Returns: nil when nothing is to be said yet.
    package static func status(
        preparation: PreparationState, engine: EngineStateMachine.State, health: EngineStatus.Health?
    ) -> ServiceStatus? {
        switch preparation {
        case .unprepared: return nil
        case .running: return .building
        case .failed: return .failedToSpawn
        case .prepared: break
        }
        switch engine {
        case .running: return status(health)
        case .starting, .stopping(.start), .stopping(.retry): return .restarting
        case .stopped, .stopping(.stay): return .shutdown
        case .backingOff, .crashed: return .crashed
        }
    }

    private static func status(_ health: EngineStatus.Health?) -> ServiceStatus {
        switch health {
        case .healthy: .healthy
        case nil, .starting: .running
        case .blocked: .blocked
        case .shutdown: .shutdown
        case .unknown: .unknown
        }
    }
}
